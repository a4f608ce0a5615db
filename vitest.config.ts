import { defineConfig } from 'vitest/config';

/**
 * Three projects by what they need: `unit` nothing, `vm` a guest bundle and QEMU, `e2e` the built
 * launcher as well. `soak` joins only when it is asked for (`npm run soak`), because it takes hours.
 * The projects that boot VMs run their files one after another: under emulation each VM takes a core.
 */
const vmTimings = { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false };

export default defineConfig({
  test: {
    retry: 0,
    passWithNoTests: true,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 10_000 } },
      { test: { name: 'vm', include: ['test/vm/**/*.test.ts'], ...vmTimings } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...vmTimings } },
      ...(process.env['A3S_SOAK'] === '1'
        ? [{ test: { name: 'soak', include: ['test/soak/**/*.test.ts'], ...vmTimings, testTimeout: 0 } }]
        : []),
    ],
  },
});
