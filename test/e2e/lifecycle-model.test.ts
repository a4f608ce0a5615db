import { describe, test } from 'vitest';

import { randomSource } from '../unit/random.ts';
import { boxesOf } from './fixture/boxes.ts';
import { runLoad } from './fixture/lifecycle-load.ts';

boxesOf('model');
/** A seed in the name brings a series back (A3S_SEED). */
const seed = Number(process.env['A3S_SEED'] ?? 1);

describe(`80 random commands from 4 processes against 6 boxes, seed ${seed}`, () => {
  test('do what some order of them would have done, and leave nothing', async () => {
    await runLoad({ commands: 80, workers: 4, boxes: 6, random: randomSource(seed), prefix: 'model' });
  });
});
