import { expect, test } from 'vitest';

import { fitting, textWidth } from '../../../src/output/text-width.ts';

test.each([
  ['', 0],
  ['plain', 5],
  ['漢字', 4],
  ['한글ｶﾅ', 6],
  ['é', 1],
  ['👍!', 3],
  ['\u200bzero\u202e', 4],
])('%j is %i columns wide', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test.each([
  ['plain', 3, 'pla'],
  ['plain', 9, 'plain'],
  ['漢字', 3, '漢'],
  ['a👍b', 2, 'a'],
  ['x', 0, ''],
])('of %j %i columns hold %j', (text, columns, start) => {
  expect(fitting(text, columns)).toBe(start);
});
