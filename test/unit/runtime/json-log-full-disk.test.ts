/** What a full disk does to a log: half a line, a time without any, and the lines after it. */
import type * as fs from 'node:fs';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';

import { parseLine } from '../../../src/engine/log-file.ts';
import { JsonLog } from '../../../src/runtime/monitor/json-log.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** Bytes that the disk still takes. */
let room = Number.POSITIVE_INFINITY;

vi.mock('node:fs', async () => {
  const actual = await vi.importActual<typeof fs>('node:fs');
  type Done = (error: Error | null, written: number) => void;
  const write = (fd: number, bytes: Buffer, offset: number, length: number, at: null, done: Done): void => {
    if (room === 0) {
      setImmediate(done, new Error('ENOSPC: no space left on device'), 0);
      return;
    }
    const taken = Math.min(room, length);
    room -= taken;
    actual.write(fd, bytes, offset, taken, at, done);
  };
  return { ...actual, write };
});

beforeEach(() => {
  room = Number.POSITIVE_INFINITY;
});

function openLog(path = join(temporaryDirectory(), 'log')) {
  const said: string[] = [];
  const log = new JsonLog(path, (line) => said.push(line));
  return {
    log,
    path,
    said,
    write: (text: string) => new Promise<void>((resolve) => log.write('stdout', Buffer.from(text), resolve)),
    /** What `logs` would show, each line after as many as are missing there. */
    shown: (): (string | number)[] =>
      readFileSync(path, 'utf8')
        .split('\n')
        .map(parseLine)
        .filter((line) => line !== null)
        .flatMap(({ text, lost }) => (lost === undefined ? [text] : [lost, text])),
  };
}

test('a full disk never holds the workload, and lines come again once there is space', async () => {
  const { log, write, shown, said } = openLog();
  await write('before\n');
  // Some of a line of 70 bytes and more.
  room = 30;
  await write('half\n');
  await write('lost\nlost\n');
  room = Number.POSITIVE_INFINITY;
  await write('after\n');
  await write('and after\n');
  await log.close();
  expect(shown()).toEqual(['before\n', 3, 'after\n', 'and after\n']);
  expect(said).toEqual([
    'the log loses lines: ENOSPC: no space left on device',
    'the log goes on; it has lost 3 lines',
  ]);
});

test('a batch of which only the beginning is kept counts the gap before it and the one after it', async () => {
  const { log, write, shown, said } = openLog();
  room = 0;
  await write('lost\n');
  // One line of 70 bytes and more with what it says of the gap, and half of one.
  room = 120;
  await write('kept\nlost\nlost\n');
  room = Number.POSITIVE_INFINITY;
  await write('after\n');
  await log.close();
  expect(shown()).toEqual([1, 'kept\n', 2, 'after\n']);
  expect(said).toEqual([
    'the log loses lines: ENOSPC: no space left on device',
    'the log goes on; it has lost 1 line',
    'the log loses lines: ENOSPC: no space left on device',
    'the log goes on; it has lost 2 lines',
  ]);
});

test('a log that ends with half a line is continued with a line of its own', async () => {
  const { log, path, write } = openLog();
  await write('first\n');
  await log.close();
  appendFileSync(path, '{"log":"ha');
  const next = openLog(path);
  await next.write('second\n');
  await next.log.close();
  expect(next.shown()).toEqual(['first\n', 1, 'second\n']);
});
