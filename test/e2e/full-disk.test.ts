/** The file system that holds the boxes is full. Needs root, for a small file system of its own. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { home } from './fixture/home.ts';
import { quiet } from './fixture/processes.ts';
import { readBoxesFile, recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';
import { boxPaths } from '../../src/state/layout.ts';

const boxesDir = (): string => join(home(), 'boxes');

beforeAll(async () => {
  // The mount would hide the directories of monitors on their last steps.
  await quiet(home());
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

test('a box that only prints lives on, and its log goes on once there is space', async () => {
  const whole = Array.from({ length: 20_000 }, (_, index) => String(index + 1));
  const { name, run, filler } = await countingOnFullDisk('prints', 'echo counted');
  await run.says(/\ncounted\n$/);
  expect(await a3s(['exec', name, 'echo', 'alive'])).toMatchObject({ status: 0, out: 'alive\n', err: '' });
  rmSync(filler);
  await a3sOk(['kill', '-s', 'USR1', name]);
  await run.says(/\ncounted\n(.*\n)+counted\n$/);
  // Who is attached may hear of a line before the log has it.
  const { out, err } = await until('the end of the log', async () => {
    const kept = await a3s(['logs', name]);
    return kept.status === 0 && kept.out.endsWith('\n20000\ncounted\n') ? kept : null;
  });
  const lines = out.trimEnd().split('\n');
  const gap = lines.findIndex((line, index) => index > 0 && line !== String(index));
  expect(lines.slice(gap)).toEqual([...whole, 'counted']);
  expect(gap).toBeLessThan(whole.length);
  const missing = whole.length + 2 - gap;
  expect(err).toBe(
    `WARNING: lines of the log are missing here, at least ${missing}: they could not be written\n`,
  );
  const monitorLog = readFileSync(boxPaths(recordOf(name).box_dir).monitorLog, 'utf8');
  expect(monitorLog).toContain(`the log goes on; it has lost ${missing} lines\n`);
  await a3sOk(['rm', '-f', name]);
  expect(await run.ended).toMatchObject({ status: 137, err: '' });
});

test('of a box that ends on a full disk, logs says that the end is missing', async () => {
  const { name, run, filler } = await countingOnFullDisk('ends', 'exit 7');
  expect(await run.ended).toMatchObject({ status: 7, err: '' });
  const { status, out, err } = await a3s(['logs', name]);
  expect(status).toBe(0);
  const [first, ...lines] = out.trimEnd().split('\n');
  expect(first).toBe('ready');
  expect(lines).toEqual(lines.map((_line, index) => String(index + 1)));
  expect(lines.length).toBeLessThan(20_000);
  expect(err).toBe(
    'WARNING: the log ends in the middle of a line: what came after it could not be written\n',
  );
  rmSync(filler);
});

/** A box that counts at each USR1 and then does as `last` says; the disk is full, and it has been told once. */
async function countingOnFullDisk(
  label: string,
  last: string,
): Promise<{ name: string; run: CliProcess; filler: string }> {
  const name = boxes.name(label);
  const script = `trap 'seq 1 20000; ${last}' USR1; echo ready; while :; do sleep 0.1; done`;
  const run = new CliProcess(['run', '--name', name, 'a3s/base', 'sh', '-c', script]);
  await run.says(/^ready\n$/);
  const filler = join(boxesDir(), 'filler');
  fillDisk(filler);
  await a3sOk(['kill', '-s', 'USR1', name]);
  return { name, run, filler };
}

/** Leaves no page. */
function fillDisk(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(fd);
  }
}
