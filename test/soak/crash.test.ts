import { describe, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { crash, crashes } from '../e2e/fixture/crash.ts';
import { randomSource } from '../unit/random.ts';

/** Another series each time; the seed in the name brings a failed one back (A3S_SEED). */
const seed = Number(process.env['A3S_SEED'] ?? Date.now());
const boxes = boxesOf('crash');

describe(`kill -9 in the middle of run, 500 times, seed ${seed}`, () => {
  test.each(crashes(randomSource(seed), 500))('of $victim after $delayMs ms, --rm $rm', async (each) => {
    await crash(boxes.name(each.victim), each);
  });
});
