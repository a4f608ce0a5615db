import { expect, test } from 'vitest';

import { POLICY_PATTERN, policyOf, restarts } from '../../../src/state/restart-policy.ts';

const box = { restart_policy: 'no', restart_count: 0, stopped_by_user: false, exit_code: 1 };

test.each([
  ['no', 0, false],
  ['no', 1, false],
  ['always', 0, true],
  ['always', 137, true],
  ['unless-stopped', 0, true],
  ['unless-stopped', 1, true],
  ['on-failure', 0, false],
  ['on-failure', 1, true],
  ['on-failure', 137, true],
])('a box with %s that ended with %i restarts: %s', (restart_policy, exit_code, expected) => {
  expect(restarts({ ...box, restart_policy, exit_code })).toBe(expected);
  expect(restarts({ ...box, restart_policy, exit_code, stopped_by_user: true })).toBe(false);
});

test('on-failure:N starts a box N times', () => {
  const ended = { ...box, restart_policy: 'on-failure:2' };
  expect([0, 1, 2, 3].map((restart_count) => restarts({ ...ended, restart_count }))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(restarts({ ...box, restart_policy: 'on-failure', restart_count: 1_000_000 })).toBe(true);
});

test('a policy is a name and a count', () => {
  expect(policyOf('on-failure:12')).toEqual({ name: 'on-failure', maximumRetryCount: 12 });
  expect(policyOf('unless-stopped')).toEqual({ name: 'unless-stopped', maximumRetryCount: 0 });
});

test.each(['', 'never', 'always:1', 'on-failure:0', 'on-failure:', 'on-failure:x', 'no\n'])(
  'a record with the policy %j is not sound',
  (text) => {
    expect(POLICY_PATTERN.test(text)).toBe(false);
  },
);
