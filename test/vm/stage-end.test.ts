import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

import { sweepDeadBuilds } from '../../src/state/template-builds.ts';
import { home } from '../e2e/fixture/home.ts';
import { processesNaming } from '../e2e/fixture/processes.ts';
import { until } from '../e2e/fixture/until.ts';
import { baseRoot, openStage, run, shell, stageLayout } from './fixture/stage.ts';

const OWNER = fileURLToPath(new URL('fixture/stage-owner.ts', import.meta.url));
/** What a user who presses Ctrl-C waits at most. */
const PATIENCE_MS = 2000;

const vmsOf = (pid: number | undefined): unknown[] =>
  processesNaming(`${stageLayout().buildsDir}/vm-${pid}-`);
const directories = (): string[] => readdirSync(stageLayout().buildsDir);

/** A process that has started a stage's VM; `at` says when it is left alone. */
async function owner(at: 'running' | 'booting'): Promise<ChildProcess> {
  const { path } = await baseRoot();
  const child = spawn(process.execPath, [OWNER, home(), path], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (at === 'running') await once(child.stdout, 'data');
  else await until('a VM', () => vmsOf(child.pid).length > 0);
  return child;
}

test('a build that is given up is gone at once, a busy command with it', async () => {
  const child = await owner('running');
  child.stdin?.write('\n');
  const [said] = await once(child.stdout ?? child, 'data');
  const [word, ms] = String(said)
    .trim()
    .split(/ (?=\d+$)/);
  expect(word).toBe('given up');
  expect(Number(ms)).toBeLessThan(PATIENCE_MS);
  expect(vmsOf(child.pid)).toEqual([]);
  await once(child, 'exit');
  expect(directories()).toEqual([]);
});

test('a VM ends with an owner that is killed, whatever it does', async () => {
  const child = await owner('running');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until('the end of the VM', () => vmsOf(child.pid).length === 0);
  expect(directories()).toHaveLength(1);
  await sweepDeadBuilds(stageLayout());
  expect(directories()).toEqual([]);
});

test('the next command ends a VM whose owner was killed while it came up', async () => {
  const child = await owner('booting');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await sweepDeadBuilds(stageLayout());
  expect(vmsOf(child.pid)).toEqual([]);
  expect(directories()).toEqual([]);
});

test('a stage that is given up before or while it opens rejects with the reason', async () => {
  const reason = new Error('given up');
  await expect(openStage({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const giveUp = new AbortController();
  const opened = openStage({ signal: giveUp.signal });
  setTimeout(() => giveUp.abort(reason), 20);
  await expect(opened).rejects.toBe(reason);
  expect(vmsOf(process.pid)).toEqual([]);
  expect(directories()).toEqual([]);
});

test('a VM that is lost in the middle of a command is told as such, and closing it cleans up', async () => {
  const vm = await openStage();
  const ran = run(vm, shell('echo; while :; do :; done'));
  ran.catch(() => {});
  const { pid } = await until(
    'the VM',
    () => processesNaming(stageLayout().buildsDir).find(({ role }) => role === 'vm') ?? null,
  );
  process.kill(pid, 'SIGKILL');
  await expect(ran).rejects.toMatchObject({ code: 'guest_protocol' });
  await expect(vm.discard()).rejects.toMatchObject({ code: 'guest_protocol' });
  await vm.close();
  expect(directories()).toEqual([]);
});
