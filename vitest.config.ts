import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * Three projects by what they need: `unit` nothing, `vm` a guest bundle and QEMU, `e2e` the built
 * launcher as well. `soak` joins only when it is asked for (`npm run soak`), because it takes hours.
 * Two files of end-to-end tests run at a time, each worker with a state directory of its own: they wait a good part of their time.
 * Those that boot VMs in their own process run alone: under emulation each VM takes a core.
 */
const vmTimings = { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false };
/** Makes the templates once for all files that run boxes. */
const globalSetup = ['test/e2e/fixture/global-setup.ts'];

export default defineConfig({
  test: {
    retry: 0,
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 60_000,
          maxWorkers: 2,
          // A second is what it is otherwise.
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
          ...vmTimings,
          globalSetup: ['test/vm/fixture/global-setup.ts'],
          // Templates belong to the QEMU that made them: this one can also be a hostile guest.
          env: { A3S_BOX_QEMU: join(import.meta.dirname, 'test/vm/fixture/qemu') },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...vmTimings,
          fileParallelism: true,
          maxWorkers: 2,
          // After the unit tests, which need the processors.
          sequence: { groupOrder: 1 },
          globalSetup,
        },
      },
      ...(process.env['A3S_SOAK'] === '1'
        ? [
            {
              test: {
                name: 'soak',
                include: ['test/soak/**/*.test.ts'],
                ...vmTimings,
                testTimeout: 0,
                globalSetup,
              },
            },
          ]
        : []),
    ],
  },
});
