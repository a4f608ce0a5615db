import { expect, test } from 'vitest';

import { tryMutant } from '../unit/images/layers/fixture/fuzz.ts';

const RUNS = Number(process.env['A3S_SOAK_RUNS'] ?? 2000) * 1000;

test(`${RUNS} mutated layers are taken or refused with an error of ours, in bounded memory`, () => {
  const first = Number(process.hrtime.bigint() % 1_000_000_000n);
  for (let n = 0; n < RUNS; n += 1) {
    try {
      tryMutant(first + n);
    } catch (cause) {
      throw new Error(`seed ${first + n}`, { cause });
    }
  }
  expect(process.memoryUsage.rss()).toBeLessThan(1024 ** 3);
});
