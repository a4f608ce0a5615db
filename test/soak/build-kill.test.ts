import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KILLED_FILES, KILLED_NAME, killedBuild, wholeBuild } from '../e2e/build/fixture/build-kill.ts';
import { makeContext } from '../e2e/build/fixture/context.ts';
import { a3s, a3sOk } from '../e2e/fixture/cli.ts';
import { randomSource } from '../unit/random.ts';

/** Another series each time; the seed in the name brings a failed one back (A3S_SEED). */
const seed = Number(process.env['A3S_SEED'] ?? Date.now());
const MOMENTS = 200;

let context: string;
let wholeMs: number;
beforeAll(async () => {
  context = makeContext(KILLED_FILES);
  // The first makes the template of the machine.
  await wholeBuild(context);
  await a3sOk(['builder', 'prune', '-af']);
  wholeMs = await wholeBuild(context);
});
afterAll(async () => {
  await a3s(['rmi', '-f', KILLED_NAME]);
  await a3s(['builder', 'prune', '-af']);
  rmSync(context, { recursive: true, force: true });
});

describe(`kill -9 in the middle of a build, ${MOMENTS} times, seed ${seed}`, () => {
  const random = randomSource(seed);
  let struck = 0;
  test.each(Array.from({ length: MOMENTS }, (_, n) => [n, random()] as const))(
    'the %i-th after %d of its time',
    async (n, part) => {
      if (await killedBuild(context, `${seed}-${n}`, part * wholeMs)) struck += 1;
    },
  );
  test('most met a build that was at work', () => {
    expect(struck).toBeGreaterThan(MOMENTS / 2);
  });
});
