import { afterAll, beforeAll, describe, test } from 'vitest';

import { machine } from '../e2e/fixture/machine.ts';
import { CRASH_IMAGE, crashPull, type SlowProxy, startSlowProxy } from '../e2e/fixture/pull-crash.ts';
import { publish, type Published } from '../e2e/fixture/remote-images.ts';
import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { randomSource } from '../unit/random.ts';

/** Another series each time; the seed in the name brings a failed one back (A3S_SEED). */
const seed = Number(process.env['A3S_SEED'] ?? Date.now());

let registry: TestRegistry;
let slow: SlowProxy;
let image: Published;
beforeAll(async () => {
  registry = await startRegistry();
  slow = await startSlowProxy(registry);
  image = await publish(registry.domain, 't/x', '1', CRASH_IMAGE);
});
afterAll(async () => {
  await slow.close();
  await registry.close();
});

describe(`kill -9 in the middle of a pull, 200 times, seed ${seed}`, () => {
  const random = randomSource(seed);
  test.each(Array.from({ length: 200 }, () => Math.floor(random() * 1500)))(
    'after %i ms',
    async (delayMs) => {
      const reached = new Promise((resolve) => setTimeout(resolve, delayMs));
      await crashPull(machine(), `${slow.domain}/t/x:1`, image, { reached, past: () => {} });
    },
  );
});
