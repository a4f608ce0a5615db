import { describe, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { runLoad } from '../e2e/fixture/lifecycle-load.ts';
import { randomSource } from '../unit/random.ts';

boxesOf('model');
/** Another series each time; the seed in the name brings a failed one back (A3S_SEED). */
const seed = Number(process.env['A3S_SEED'] ?? Date.now());
const commands = Number(process.env['A3S_SOAK_RUNS'] ?? 1000);

describe(`${commands} random commands from 8 processes against 20 boxes, seed ${seed}`, () => {
  test('do what some order of them would have done, and leave nothing', async () => {
    await runLoad({ commands, workers: 8, boxes: 20, random: randomSource(seed), prefix: 'model' });
  });
});
