import { expect, test } from 'vitest';

import { parseBuildArguments } from '../../../src/build/build-arguments.ts';

test('a build argument is given with its value or taken from the environment', () => {
  const values = ['A=1', 'B=', 'C=x=y', 'HOME', 'MISSING', 'A=2'];
  expect(parseBuildArguments(values, { HOME: '/h' })).toEqual(
    new Map([
      ['A', '2'],
      ['B', ''],
      ['C', 'x=y'],
      ['HOME', '/h'],
    ]),
  );
});

test.each(['=1', ''])('%j is refused', (value) => {
  expect(() => parseBuildArguments([value], {})).toThrow(`invalid key-value pair "${value}": empty key`);
});
