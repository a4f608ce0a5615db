import { test } from 'vitest';

import { tryMutant } from './fixture/fuzz.ts';

test('5000 mutated layers are taken or refused with an error of ours', () => {
  for (let seed = 0; seed < 5000; seed += 1) tryMutant(seed);
});
