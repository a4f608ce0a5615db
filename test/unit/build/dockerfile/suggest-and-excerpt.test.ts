import { expect, test } from 'vitest';

import { excerpt } from '../../../../src/build/dockerfile/excerpt.ts';
import { suggest } from '../../../../src/build/dockerfile/suggest.ts';

test.each([
  ['RNU', ['RUN', 'ENV'], false, 'no (did you mean RUN?)'],
  ['rnu', ['RUN', 'ENV'], false, 'no (did you mean run?)'],
  ['Copi', ['COPY'], false, 'no (did you mean copy?)'],
  ['bulid', ['build', 'base'], true, 'no (did you mean build?)'],
  ['BULID', ['build'], true, 'no'],
  ['mont', ['mount', 'month'], true, 'no (did you mean mount?)'],
  ['foobar', ['build'], true, 'no'],
  // Then something else is wrong.
  ['mount', ['mount', 'mounts'], true, 'no'],
  ['x'.repeat(100_000), ['mount'], true, 'no'],
])('for %j of %j: %#', (wrong, known, caseCounts, expected) => {
  expect(suggest('no', wrong, known, caseCounts)).toBe(expected);
});

const RULE = '--------------------';

test('one line to blame is shown with two around it on each side', () => {
  expect(excerpt('Dockerfile', 'a\nb\nc\nd\ne\nf\ng', { first: 4, last: 4 })).toBe(
    [
      'Dockerfile:4',
      RULE,
      '   2 |     b',
      '   3 |     c',
      '   4 | >>> d',
      '   5 |     e',
      '   6 |     f',
      RULE,
      '',
    ].join('\n'),
  );
});

test('several lines are shown with one around them', () => {
  expect(excerpt('x/Dockerfile', 'a\nb\nc\nd\ne', { first: 2, last: 3 })).toBe(
    ['x/Dockerfile:2', RULE, '   1 |     a', '   2 | >>> b', '   3 | >>> c', '   4 |     d', RULE, ''].join(
      '\n',
    ),
  );
});

test('a file that ends there shows what it has', () => {
  expect(excerpt('Dockerfile', 'FROM a\nFOO', { first: 2, last: 2 })).toBe(
    ['Dockerfile:2', RULE, '   1 |     FROM a', '   2 | >>> FOO', RULE, ''].join('\n'),
  );
  expect(excerpt('Dockerfile', 'FROM a', { first: 9, last: 9 })).toBe('');
});
