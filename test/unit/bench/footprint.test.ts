import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { leftovers, processesNaming, settledLeftovers, traceOf } from '../../../bench/footprint.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync('/tmp/a3s-bench-test-');
});
afterEach(() => rmSync(home, { recursive: true }));

function write(path: string): void {
  mkdirSync(join(home, path, '..'), { recursive: true });
  writeFileSync(join(home, path), '');
}

test('files are left, but neither directories nor caches', () => {
  const before = traceOf(home);
  for (const path of [
    'boxes/0/console.log',
    'images/blobs/sha256/0',
    'pool/0',
    'templates/.unfinished/memory',
    'cache/compile/0',
    'templates/image-0/memory',
    'build-cache/steps/0',
    'locks/a.lock',
    'events.jsonl',
    'events.jsonl.1',
  ])
    write(path);
  mkdirSync(join(home, 'builds', 'empty'), { recursive: true });
  expect(leftovers(before, traceOf(home))).toEqual([
    'files: boxes/0/console.log',
    'files: images/blobs/sha256/0',
    'files: pool/0',
    'files: templates/.unfinished/memory',
  ]);
});

test('what was there before is not left, and what has gone is no leftover', () => {
  write('boxes/0/a');
  write('boxes/0/b');
  const before = traceOf(home);
  rmSync(join(home, 'boxes/0/b'));
  expect(leftovers(before, traceOf(home))).toEqual([]);
});

test('a process whose words name the directory is left', async () => {
  const before = traceOf(home);
  const child = spawn('sleep', ['1000'], {
    argv0: `sleep ${home}/boxes`,
  });
  try {
    await once(child, 'spawn');
    expect(processesNaming(home)).toEqual([`${child.pid} sleep ${home}/boxes 1000`]);
    expect(leftovers(before, traceOf(home))).toEqual([`processes: ${child.pid} sleep ${home}/boxes 1000`]);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(leftovers(before, traceOf(home))).toEqual([]);
});

test('a socket is left', async () => {
  const before = traceOf(home);
  const server = createServer().listen(join(home, 'control.sock'));
  await once(server, 'listening');
  expect(leftovers(before, traceOf(home))).toEqual([
    'files: control.sock',
    `sockets: ${join(home, 'control.sock')}`,
  ]);
  server.close();
  await once(server, 'close');
  expect(leftovers(before, traceOf(home))).toEqual([]);
});

test('last steps are waited for, but not for ever', async () => {
  const before = traceOf(home);
  write('boxes/0/a');
  expect(await settledLeftovers(home, before, 0)).toEqual(['files: boxes/0/a']);
  const settled = settledLeftovers(home, before);
  rmSync(join(home, 'boxes/0/a'));
  expect(await settled).toEqual([]);
});
