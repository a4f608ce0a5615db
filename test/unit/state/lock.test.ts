import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';

import { withLock } from '../../../src/state/lock.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { firstWords, startFixture } from './fixture/child.ts';

const SHORT = { timeoutMs: 50 };
const LONG = { timeoutMs: 10_000 };

test('a lock makes its file, private and empty, and gives what the work returns', async () => {
  const file = join(temporaryDirectory(), 'state', 'boxes.lock');
  expect(await withLock(file, () => 'done', SHORT)).toBe('done');
  const { mode, size } = statSync(file);
  expect([(mode & 0o777).toString(8), size]).toEqual(['600', 0]);
});

test('a held lock makes no second file, which would need free disk space', async () => {
  const directory = temporaryDirectory();
  const seen = await withLock(join(directory, 'a.lock'), () => readdirSync(directory), SHORT);
  expect(seen).toEqual(['a.lock']);
});

test('a full disk is told as what it is', async () => {
  const full = Object.assign(new Error('database or disk is full'), { errcode: 13 });
  const failing = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(() => {
    throw full;
  });
  onTestFinished(() => failing.mockRestore());
  const file = join(temporaryDirectory(), 'a.lock');
  await expect(withLock(file, () => 1, SHORT)).rejects.toMatchObject({
    message: `cannot lock ${file}: database or disk is full`,
    hint: 'free some disk space',
  });
});

test('a holder in this process keeps others out until its work has ended', async () => {
  const file = join(temporaryDirectory(), 'a.lock');
  const steps: string[] = [];
  let release = () => {};
  const first = withLock(
    file,
    async () => {
      steps.push('first in');
      await new Promise<void>((resolve) => (release = resolve));
      steps.push('first out');
    },
    LONG,
  );
  const second = withLock(file, () => void steps.push('second in'), LONG);
  await expect(withLock(file, () => steps.push('third in'), SHORT)).rejects.toMatchObject({
    code: 'timeout',
  });
  release();
  await Promise.all([first, second]);
  expect(steps).toEqual(['first in', 'first out', 'second in']);
});

test('a lock is free again after its work has thrown', async () => {
  const file = join(temporaryDirectory(), 'a.lock');
  const failing = withLock(file, () => Promise.reject(new Error('no luck')), SHORT);
  await expect(failing).rejects.toThrow('no luck');
  expect(await withLock(file, () => 1, SHORT)).toBe(1);
});

test('waiting in vain names the process that holds the lock', async () => {
  const file = join(temporaryDirectory(), 'a.lock');
  const holder = startFixture('hold-lock.ts', file);
  expect(await firstWords(holder)).toBe('held\n');
  await expect(withLock(file, () => 1, SHORT)).rejects.toMatchObject({
    code: 'timeout',
    message: `${file} is still locked by process ${holder.pid} after 0.05 s`,
  });
});

test('the kernel frees the lock of a holder that was killed, and nothing is left behind', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'a.lock');
  const holder = startFixture('hold-lock.ts', file);
  await firstWords(holder);
  const waiting = withLock(file, () => 'mine', LONG);
  holder.kill('SIGKILL');
  expect(await waiting).toBe('mine');
  expect(statSync(file).size).toBe(0);
});

test('a lock file that holds something else is refused and left as it is', async () => {
  const file = join(temporaryDirectory(), 'a.lock');
  const text = 'not a database at all\n'.repeat(100);
  writeFileSync(file, text);
  await expect(withLock(file, () => 1, SHORT)).rejects.toMatchObject({ code: 'io' });
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('a lock file that cannot be made is an error that names it', async () => {
  const file = join(temporaryDirectory(), 'a.lock');
  mkdirSync(file);
  await expect(withLock(file, () => 1, SHORT)).rejects.toThrow(`cannot lock ${file}: `);
});
