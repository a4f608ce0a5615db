import { expect, test } from 'vitest';

import { parseRestartPolicy } from '../../../src/engine/restart-policy.ts';

test.each([
  ['', 'no'],
  ['no', 'no'],
  ['always', 'always'],
  ['always:', 'always'],
  ['always:0', 'always'],
  ['unless-stopped', 'unless-stopped'],
  ['on-failure', 'on-failure'],
  ['on-failure:0', 'on-failure'],
  ['on-failure:5', 'on-failure:5'],
  ['on-failure:+5', 'on-failure:5'],
])('--restart %j is %s', (text, policy) => {
  expect(parseRestartPolicy(text)).toBe(policy);
});

test.each([
  [':3', 'usage', 'invalid restart policy format: no policy provided before colon'],
  ['on-failure:x', 'usage', 'invalid restart policy format: maximum retry count must be an integer'],
  ['on-failure:1.5', 'usage', 'invalid restart policy format: maximum retry count must be an integer'],
  [
    'on-failure:99999999999',
    'usage',
    'invalid restart policy format: maximum retry count must be an integer',
  ],
  ['on-failure:-1', 'invalid_config', 'invalid restart policy: maximum retry count cannot be negative'],
  [
    'always:3',
    'invalid_config',
    "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  ],
  [
    'no:-3',
    'invalid_config',
    "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative",
  ],
  [
    'sometimes',
    'invalid_config',
    "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
])('--restart %s is refused', (text, code, message) => {
  expect(() => parseRestartPolicy(text)).toThrow(expect.objectContaining({ code, message }));
});
