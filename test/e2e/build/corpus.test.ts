/** Dockerfiles of every kind, built and compared: tree by tree and field by field, and with what buildah makes of them. */
import { afterAll, beforeAll, describe, test } from 'vitest';

import { ADD_CASES } from './cases/add.ts';
import { CONFIG_CASES } from './cases/config.ts';
import { COPY_CASES } from './cases/copy.ts';
import { FAILURES } from './cases/failures.ts';
import { RUN_CASES } from './cases/run.ts';
import { STAGE_CASES } from './cases/stages.ts';
import { checkBuild, checkFailure } from './fixture/check.ts';
import { Buildah } from './fixture/peers.ts';

let buildah: Buildah;
beforeAll(async () => {
  process.env['BUILD_SECRET'] = 'not a trace';
  buildah = await Buildah.open();
});
afterAll(async () => {
  await buildah.close();
});

describe.each([
  ['COPY and WORKDIR', COPY_CASES],
  ['ADD', ADD_CASES],
  ['RUN', RUN_CASES],
  ['configuration', CONFIG_CASES],
  ['stages and variables', STAGE_CASES],
])('%s', (_group, cases) => {
  test.each([...cases])('$name', async (one) => {
    await checkBuild(one, buildah);
  });
});

describe('what fails', () => {
  test.each([...FAILURES])('$name', async (one) => {
    await checkFailure(one);
  });
});
