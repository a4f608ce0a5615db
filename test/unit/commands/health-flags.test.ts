import { expect, test } from 'vitest';

import { parseFlags } from '../../../src/commands/flags/parse.ts';
import { healthCheckFlags, healthFlags } from '../../../src/commands/health-flags.ts';

const parse = (...args: string[]) =>
  healthCheckFlags(parseFlags(healthFlags, args, { interspersed: false }).values);
const S = 1_000_000_000;
const none = { test: [], interval: 0, timeout: 0, start_period: 0, start_interval: 0, retries: 0 };

test('without a flag nothing is asked for', () => {
  expect(parse()).toBeNull();
  expect(parse('--health-cmd', '', '--health-interval', '0')).toBeNull();
});

test('all flags make a check', () => {
  expect(
    parse(
      '--health-cmd=curl -f x || exit 1',
      '--health-interval=1m30s',
      '--health-timeout=1.5s',
      '--health-retries=2',
      '--health-start-period=300ms',
      '--health-start-interval=1s',
    ),
  ).toEqual({
    test: ['CMD-SHELL', 'curl -f x || exit 1'],
    interval: 90 * S,
    timeout: 1.5 * S,
    retries: 2,
    start_period: 0.3 * S,
    start_interval: S,
  });
});

test("times alone are laid over the image's", () => {
  expect(parse('--health-timeout', '2s')).toEqual({ ...none, timeout: 2 * S });
});

test('--no-healthcheck takes the check of the image away', () => {
  expect(parse('--no-healthcheck')).toEqual({ ...none, test: ['NONE'] });
});

test.each([
  [['--no-healthcheck', '--health-cmd', 'x'], '--no-healthcheck conflicts with --health-* options'],
  [['--health-interval', '-1s'], '--health-interval cannot be negative'],
  [['--health-timeout', '-1s'], '--health-timeout cannot be negative'],
  [['--health-retries', '-1'], '--health-retries cannot be negative'],
  [['--health-start-period', '-1s'], '--health-start-period cannot be negative'],
  [['--health-start-interval', '-1s'], '--health-start-interval cannot be negative'],
  [
    ['--health-interval', '5'],
    'invalid argument "5" for "--health-interval" flag: time: missing unit in duration "5"',
  ],
  [
    ['--health-interval', 'soon'],
    'invalid argument "soon" for "--health-interval" flag: time: invalid duration "soon"',
  ],
])('%j is refused', (args, message) => {
  expect(() => parse(...args)).toThrow(message);
});
