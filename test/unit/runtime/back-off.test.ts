import { expect, test } from 'vitest';

import { BackOff } from '../../../src/runtime/monitor/back-off.ts';

test('each restart waits twice as long as the one before, up to a minute', () => {
  const backOff = new BackOff();
  expect(Array.from({ length: 12 }, () => backOff.next(0))).toEqual([
    100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000,
  ]);
});

test('a run of ten seconds, and a reset, begin anew', () => {
  const backOff = new BackOff();
  backOff.next(0);
  expect(backOff.next(9_999)).toBe(200);
  expect(backOff.next(10_000)).toBe(100);
  expect(backOff.next(0)).toBe(200);
  backOff.reset();
  expect(backOff.next(0)).toBe(100);
});
