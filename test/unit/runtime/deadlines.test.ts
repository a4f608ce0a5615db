import { expect, test } from 'vitest';

import { bootTryMs } from '../../../src/runtime/deadlines.ts';

test.each([
  [undefined, 30_000],
  ['', 30_000],
  ['10', 5_000],
  ['0.5', 250],
  ['3600', 1_800_000],
])('a boot deadline of %j seconds gives each of two tries %i ms', (seconds, ms) => {
  expect(bootTryMs(seconds === undefined ? {} : { A3S_BOX_BOOT_TIMEOUT: seconds })).toBe(ms);
});

test.each(['0', '-1', 'soon', '1e9', 'NaN', 'Infinity', '10s'])(
  'a boot deadline of %j is refused',
  (seconds) => {
    expect(() => bootTryMs({ A3S_BOX_BOOT_TIMEOUT: seconds })).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: `A3S_BOX_BOOT_TIMEOUT must be a number of seconds up to 3600, not "${seconds}"`,
      }),
    );
  },
);
