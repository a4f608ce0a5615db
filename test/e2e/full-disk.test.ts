/** The file system that holds the boxes is full. Needs root, for a small file system of its own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { home } from './fixture/home.ts';
import { readBoxesFile, recordOf } from './fixture/records.ts';

const boxesDir = (): string => join(home(), 'boxes');

beforeAll(() => {
  mkdirSync(boxesDir(), { recursive: true, mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'tmpfs', boxesDir()]);
});
afterAll(() => {
  execFileSync('umount', [boxesDir()]);
});

const boxes = boxesOf('full-disk');

test('ends the box with a clear error; rm -f frees the space, and the next box runs', async () => {
  const name = boxes.name('box');
  const fill = 'dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null; sync; echo survived';
  const { status, out, err } = await a3s(['run', '--name', name, 'a3s/base', 'sh', '-c', fill]);
  expect({ status, out }).toEqual({ status: 137, out: '' });
  expect(err).toContain("the host's disk is full: the box could not write and was ended");
  expect(recordOf(name)).toMatchObject({ status: 'dead', exit_code: 137 });
  expect(await a3sOk(['rm', '-f', name])).toBe(name);
  expect(readBoxesFile().filter((box) => box.name === name)).toEqual([]);
  expect(await a3sOk(['run', '--rm', 'a3s/base', 'echo', 'again'])).toBe('again');
});
