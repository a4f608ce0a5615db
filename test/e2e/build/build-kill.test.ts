/** kill -9 of a build at any moment: the store stays sound, the next build finishes and sweeps what was left. test/soak has more. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { randomSource } from '../../unit/random.ts';
import { a3s, a3sOk, CliProcess } from '../fixture/cli.ts';
import { until } from '../fixture/until.ts';
import { KILLED_FILES, KILLED_NAME, killedBuild, wholeBuild } from './fixture/build-kill.ts';
import { makeContext } from './fixture/context.ts';
import { leftovers } from './fixture/leftovers.ts';

const MOMENTS = 6;
const MANY_MS = 600_000;
let context: string;

beforeAll(() => {
  context = makeContext(KILLED_FILES);
});
afterAll(async () => {
  await a3s(['rmi', '-f', KILLED_NAME]);
  rmSync(context, { recursive: true, force: true });
});

test(
  'a build that was killed in a command is swept by the next one',
  async () => {
    const slow = makeContext({ Dockerfile: 'FROM a3s/base\nRUN echo begun && sleep 600\n' });
    const build = new CliProcess(['build', '--progress', 'plain', slow], { deadlineMs: MANY_MS });
    await until('the command to run', () => /^#\d+ [\d.]+ begun$/m.test(build.err), MANY_MS);
    build.child.kill('SIGKILL');
    await build.ended;
    expect(leftovers().length).toBeGreaterThan(0);
    expect((await a3s(['build', '-q', '-'], { stdin: 'FROM scratch\nENV A=1\n' })).status).toBe(0);
    expect(leftovers()).toEqual([]);
    rmSync(slow, { recursive: true });
  },
  MANY_MS,
);

test(
  'killed at random moments',
  async () => {
    const seed = Date.now();
    const random = randomSource(seed);
    const wholeMs = await wholeBuild(context);
    for (let n = 0; n < MOMENTS; n++) {
      const delayMs = random() * wholeMs;
      await killedBuild(context, `${seed}-${n}`, delayMs).catch((error: unknown) => {
        throw new Error(`killed after ${delayMs} ms, moment ${n} of seed ${seed}`, { cause: error });
      });
    }
    await a3sOk(['builder', 'prune', '-af']);
  },
  MANY_MS,
);
