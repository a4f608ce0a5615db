import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import {
  findBoxProcesses,
  isAlive,
  killBoxProcesses,
  processStart,
  startFromStat,
} from '../../../src/state/processes.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { ended, startMonitor, startProgram, startSleeper } from './fixture/child.ts';

const STAT_END = ' 1 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 777 1000 2 18446744073709551615';

async function sleeper(...args: string[]) {
  const child = await startSleeper(process.execPath, ...args);
  return { child, pid: child.pid ?? 0 };
}

async function fakeMonitor(boxDir: string) {
  const child = await startMonitor(boxDir);
  return { child, pid: child.pid ?? 0 };
}

/** A process that looks like a VM. */
function fakeVm(...args: string[]) {
  const qemu = join(temporaryDirectory(), 'qemu-system-x86_64');
  copyFileSync(process.execPath, qemu);
  return startSleeper(qemu, ...args);
}

test('the start time is read behind the last parenthesis of a stat', () => {
  expect(startFromStat(`42 (sleep) S${STAT_END}`)).toBe(777);
  expect(startFromStat(`42 (a) R 9 (b) S${STAT_END}`)).toBe(777);
});

test('a zombie counts as dead', () => {
  expect(startFromStat(`42 (sleep) Z${STAT_END}`)).toBeNull();
});

test('a process is alive with its own start time only', async () => {
  const { child, pid } = await sleeper();
  const start = processStart(pid);
  expect(start).not.toBeNull();
  expect(isAlive(pid, start)).toBe(true);
  expect(isAlive(pid, (start ?? 0) - 1)).toBe(false);
  expect(isAlive(null, start)).toBe(false);
  child.kill('SIGKILL');
  await ended(child);
  expect(isAlive(pid, start)).toBe(false);
});

test('processes of a box are found by its directory among their arguments', async () => {
  const directory = join(temporaryDirectory(), 'boxes', '3e54fbf999f5');
  const itself = await fakeMonitor(directory);
  const inside = await fakeVm(`file=${directory}/scratch.qcow2,format=qcow2`);
  await fakeMonitor(`${directory}0`);
  await fakeVm('/somewhere/else');
  const found = new Set(findBoxProcesses(directory).map(({ pid }) => pid));
  expect(found).toEqual(new Set([itself.pid, inside.pid]));
});

test('a VM is told from a monitor, and a reader of a log is neither', async () => {
  const home = temporaryDirectory();
  const directory = join(home, 'boxes', '3e54fbf999f5');
  const vm = await fakeVm(directory);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'console.log'), '');
  const bystander = startProgram('tail', ['-f', join(directory, 'console.log')]);
  const monitor = await fakeMonitor(directory);
  const roles = findBoxProcesses(directory).map(({ pid, role }) => `${pid} ${role}`);
  expect(roles.toSorted()).toEqual([`${monitor.pid} monitor`, `${vm.pid} vm`].toSorted());
  expect(await killBoxProcesses(directory)).toBe(2);
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
});

test("another program of Node's that was given the directory is not ours to kill", async () => {
  const directory = join(temporaryDirectory(), 'boxes', '3e54fbf999f5');
  const { child } = await sleeper(directory);
  expect(await killBoxProcesses(directory)).toBe(0);
  expect(child.exitCode ?? child.signalCode).toBeNull();
});

test('a VM is found where its arguments write a comma in the path twice, as QEMU wants it', async () => {
  const directory = join(temporaryDirectory(), 'a,b', '3e54fbf999f5');
  const vm = await fakeVm(`file=${directory.replaceAll(',', ',,')}/scratch.qcow2,format=qcow2`);
  expect(findBoxProcesses(directory).map(({ pid }) => pid)).toEqual([vm.pid]);
});

test('killing waits until every process of the box is gone', async () => {
  const directory = join(temporaryDirectory(), 'boxes', '3e54fbf999f5');
  const sleepers = [await fakeMonitor(directory), await fakeMonitor(directory)];
  const starts = sleepers.map(({ pid }) => processStart(pid));
  expect(await killBoxProcesses(directory)).toBe(2);
  expect(sleepers.map(({ pid }, n) => isAlive(pid, starts[n] ?? null))).toEqual([false, false]);
  expect(await killBoxProcesses(directory)).toBe(0);
});
