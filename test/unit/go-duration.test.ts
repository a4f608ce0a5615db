import { expect, test } from 'vitest';

import { goDuration } from '../../src/go-duration.ts';

test.each([
  [0, '0s'],
  [1, '1ns'],
  [1500, '1.5µs'],
  [300_000_000, '300ms'],
  [1_500_000_000, '1.5s'],
  [90_000_000_000, '1m30s'],
  [3_600_000_000_000, '1h0m0s'],
  [3_661_500_000_000, '1h1m1.5s'],
])('%i ns is %s', (nanoseconds, text) => {
  expect(goDuration(nanoseconds)).toBe(text);
});
