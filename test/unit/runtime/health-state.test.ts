import { expect, test } from 'vitest';

import {
  afterResult,
  intervalMs,
  timeoutMs,
  type Health,
} from '../../../src/runtime/monitor/health-state.ts';
import { NO_RESULTS } from '../../../src/state/health-log.ts';

const S = 1_000_000_000;
const check = {
  test: ['CMD', 'true'],
  interval: 2 * S,
  timeout: S,
  start_period: 0,
  start_interval: 0,
  retries: 2,
};
const starting: Health = { status: 'starting', log: NO_RESULTS };
const result = (exit_code: number) => ({ start: 's', end: 'e', exit_code, output: '' });

/** Statuses and streaks after results with these exit codes; a check began each second. */
function course(exitCodes: readonly number[], of = check): string[] {
  let health = starting;
  return exitCodes.map((code, second) => {
    health = afterResult(health, result(code), of, second * 1000);
    return `${health.status} ${health.log.failing_streak}`;
  });
}

test.each([
  ['healthy', [0, 0], ['healthy 0', 'healthy 0']],
  ['failing', [1, 1, 1], ['starting 1', 'unhealthy 2', 'unhealthy 3']],
  [
    'flapping',
    [0, 1, 0, 1, 1, 0],
    ['healthy 0', 'healthy 1', 'healthy 0', 'healthy 1', 'unhealthy 2', 'healthy 0'],
  ],
  ['timing out', [-1, -1], ['starting 1', 'unhealthy 2']],
])('a box that is %s', (_what, codes, expected) => {
  expect(course(codes)).toEqual(expected);
});

test('failures in the start period do not count, until the first success', () => {
  const patient = { ...check, start_period: 3 * S };
  expect(course([1, 1, 1, 1, 1], patient)).toEqual([
    'starting 0',
    'starting 0',
    'starting 0',
    'starting 1',
    'unhealthy 2',
  ]);
  expect(course([0, 1, 1], patient)).toEqual(['healthy 0', 'healthy 1', 'unhealthy 2']);
});

test('three failures make a box unhealthy when nothing is said', () => {
  expect(course([1, 1, 1], { ...check, retries: 0 })).toEqual(['starting 1', 'starting 2', 'unhealthy 3']);
});

test('the last five results are kept', () => {
  let health = starting;
  for (const code of [1, 2, 3, 4, 5, 6]) health = afterResult(health, result(code), check, 0);
  expect(health.log.results.map(({ exit_code }) => exit_code)).toEqual([2, 3, 4, 5, 6]);
});

test('intervals and time-outs have defaults, and the start period one of its own', () => {
  const bare = { ...check, interval: 0, timeout: 0 };
  expect([intervalMs(bare, 'starting', 0), timeoutMs(bare)]).toEqual([30_000, 30_000]);
  expect([intervalMs(check, 'starting', 0), timeoutMs(check)]).toEqual([2000, 1000]);
  const patient = { ...check, start_period: 10 * S };
  expect(intervalMs(patient, 'starting', 9_999)).toBe(5000);
  expect(intervalMs({ ...patient, start_interval: S }, 'starting', 0)).toBe(1000);
  expect(intervalMs(patient, 'starting', 10_000)).toBe(2000);
  expect(intervalMs(patient, 'healthy', 0)).toBe(2000);
});
