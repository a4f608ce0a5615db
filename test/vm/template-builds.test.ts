import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { openContext, type RuntimeContext } from '../../src/runtime/templates/context.ts';
import { ensureBaseTemplate } from '../../src/runtime/templates/ensure.ts';
import { layoutOf } from '../../src/state/layout.ts';
import { findBoxProcesses } from '../../src/state/processes.ts';
import { a3sOk, CliProcess } from '../e2e/fixture/cli.ts';
import { home } from '../e2e/fixture/home.ts';
import { processesNaming, signalTo } from '../e2e/fixture/processes.ts';
import { until } from '../e2e/fixture/until.ts';
import { temporaryDirectory } from '../temporary.ts';

/** Not the default's, so that these builds take no template from the other tests. */
const SHAPE = { vcpus: 1, memoryMib: 256, shareSlots: 0 };

/** An empty state directory that knows the accelerator already. */
function newHome(): { dir: string; templates: string; context: RuntimeContext } {
  const dir = join(temporaryDirectory(), 'h');
  mkdirSync(dir, { mode: 0o700 });
  const context = openContext(layoutOf(dir));
  context.host = JSON.parse(readFileSync(join(home(), 'cache', 'host.json'), 'utf8'));
  return { dir, templates: context.layout.templatesDir, context };
}

/** The directory of the build whose VM has begun to boot. */
async function bootingBuild(templates: string): Promise<string> {
  return until('a build with a VM', () => {
    const build = namesIn(templates).find((name) => name.startsWith('.build-'));
    const dir = build === undefined ? null : join(templates, build);
    return dir !== null && findBoxProcesses(dir).some(({ role }) => role === 'vm') ? dir : null;
  });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

test('a build that is given up leaves no VM and no file, and says why', async () => {
  const { templates, context } = newHome();
  const giveUp = new AbortController();
  const reason = new Error('the command went away');
  const built = ensureBaseTemplate(context, SHAPE, giveUp.signal);
  built.catch(() => {});
  const dir = await bootingBuild(templates);
  giveUp.abort(reason);
  await expect(built).rejects.toBe(reason);
  expect(findBoxProcesses(dir)).toEqual([]);
  expect(readdirSync(templates)).toEqual([]);
  // Nothing is started for one that has been given up before.
  await expect(ensureBaseTemplate(context, SHAPE, giveUp.signal)).rejects.toBe(reason);
  expect(readdirSync(templates)).toEqual([]);
});

test('a build whose monitor was killed in the middle leaves nothing after the next command', async () => {
  const { dir, templates } = newHome();
  const env = { A3S_HOME: dir };
  const run = new CliProcess(['run', '--rm', 'a3s/base', 'true'], { env });
  const build = await bootingBuild(templates);
  const [monitor] = processesNaming(dir).filter(({ role }) => role === 'monitor');
  signalTo(monitor?.pid, 'SIGKILL');
  expect((await run.ended).status).toBe(125);
  await a3sOk(['ps', '-a'], { env });
  expect(findBoxProcesses(build)).toEqual([]);
  expect(readdirSync(templates)).toEqual([]);
  expect(namesIn(join(dir, 'boxes'))).toEqual([]);
});
