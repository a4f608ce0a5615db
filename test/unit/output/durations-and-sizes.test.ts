import { describe, expect, test } from 'vitest';

import { humanDuration } from '../../../src/output/human-duration.ts';
import { binarySize, humanSize } from '../../../src/output/human-size.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

describe('ages', () => {
  test.each([
    [-5 * S, 'Less than a second'],
    [999, 'Less than a second'],
    [1999, '1 second'],
    [59 * S + 999, '59 seconds'],
    [M, 'About a minute'],
    [2 * M, '2 minutes'],
    [59 * M + 59 * S, '59 minutes'],
    [H, 'About an hour'],
    [89 * M, 'About an hour'],
    [90 * M, '2 hours'],
    [47 * H + 29 * M, '47 hours'],
    [47 * H + 30 * M, '2 days'],
    [14 * D - H, '13 days'],
    [14 * D, '2 weeks'],
    [60 * D - H, '8 weeks'],
    [60 * D, '2 months'],
    [730 * D - H, '24 months'],
    [730 * D, '2 years'],
  ])('%i ms is %s', (age, words) => {
    expect(humanDuration(age)).toBe(words);
  });
});

describe('sizes', () => {
  test.each([
    [0, '0B'],
    [999, '999B'],
    [12_345, '12.3kB'],
    [1_980_000, '1.98MB'],
    [123_456_789, '123MB'],
    [999_999, '1e+03kB'],
    [5e15, '5PB'],
  ])('%i is %s', (bytes, text) => {
    expect(humanSize(bytes)).toBe(text);
  });

  test('binary sizes have four digits', () => {
    expect(binarySize(25_275_878_932)).toBe('23.54GiB');
    expect(binarySize(123_456_789)).toBe('117.7MiB');
  });
});
