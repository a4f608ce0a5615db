import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { aptCommand } from '../../../scripts/setup/apt.mjs';
import { removeStale, withLock } from '../../../scripts/setup/lock.mjs';
import { findTool, toolEnv } from '../../../scripts/setup/process.mjs';
import { temporaryDirectory } from '../../temporary.ts';

/** No process has it: above the kernel's highest. */
const DEAD_PID = 4_194_305;

test('a tool is found in a directory that PATH has got since', () => {
  const dir = temporaryDirectory();
  const path = toolEnv.PATH;
  onTestFinished(() => void (toolEnv.PATH = path));
  writeFileSync(join(dir, 'a3s-some-tool'), '', { mode: 0o755 });
  expect(findTool('a3s-some-tool')).toBeUndefined();
  toolEnv.PATH = `${path}${delimiter}${dir}`;
  expect(findTool('a3s-some-tool')).toBe(join(dir, 'a3s-some-tool'));
});

test('apt asks nothing, also behind sudo', () => {
  const words = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', 'update'];
  expect(aptCommand([], ['update'])).toEqual(words);
  expect(aptCommand(['sudo', '-n'], ['update'])).toEqual(['sudo', '-n', ...words]);
});

test('the lock of a process that is gone is taken over, and nothing is left of it', async () => {
  const dir = join(temporaryDirectory(), 'cache');
  const file = join(dir, 'lock');
  mkdirSync(dir);
  writeFileSync(file, String(DEAD_PID));
  expect(await withLock(file, async () => readFileSync(file, 'utf8'))).toBe(String(process.pid));
  expect(readdirSync(dir)).toEqual([]);
});

test('a waiter that finds a lock dead too late leaves its new owner in peace', () => {
  const file = join(temporaryDirectory(), 'lock');
  writeFileSync(file, String(process.pid));
  removeStale(file, DEAD_PID);
  expect(readFileSync(file, 'utf8')).toBe(String(process.pid));
});

test('two waiters do not remove a dead lock at the same time', () => {
  const file = join(temporaryDirectory(), 'lock');
  writeFileSync(file, String(DEAD_PID));
  writeFileSync(`${file}.dead-${DEAD_PID}`, '');
  removeStale(file, DEAD_PID);
  expect(existsSync(file)).toBe(true);
});
