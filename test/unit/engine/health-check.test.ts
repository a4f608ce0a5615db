import { expect, test } from 'vitest';

import { healthCheckOf } from '../../../src/engine/health-check.ts';

const S = 1_000_000_000;
const none = { test: [], interval: 0, timeout: 0, start_period: 0, start_interval: 0, retries: 0 };
const image = { ...none, test: ['CMD', 'curl'], interval: 5 * S, retries: 4 };

test("an image's check is taken as it is, and nothing is checked without one", () => {
  expect(healthCheckOf(null, image)).toEqual(image);
  expect(healthCheckOf(null, null)).toBeNull();
});

test('what the flags say replaces what the image says, value by value', () => {
  expect(healthCheckOf({ ...none, timeout: S, retries: 1 }, image)).toEqual({
    ...image,
    timeout: S,
    retries: 1,
  });
  const own = { ...none, test: ['CMD-SHELL', 'true'] };
  expect(healthCheckOf(own, image)).toEqual({ ...image, test: ['CMD-SHELL', 'true'] });
  expect(healthCheckOf(own, null)).toEqual(own);
});

test('NONE takes nothing over', () => {
  expect(healthCheckOf({ ...none, test: ['NONE'] }, image)).toEqual({ ...none, test: ['NONE'] });
});

test.each([
  ['interval', 'Interval'],
  ['timeout', 'Timeout'],
  ['start_period', 'StartPeriod'],
  ['start_interval', 'StartInterval'],
] as const)('less than a millisecond is no %s', (field, name) => {
  expect(() => healthCheckOf({ ...none, [field]: 999_999 }, image)).toThrow(
    `${name} in Healthcheck cannot be less than 1ms`,
  );
});
