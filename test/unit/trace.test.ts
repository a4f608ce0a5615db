import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { takeTraceFailure, trace, traceFile, traceTo } from '../../src/trace.ts';
import { temporaryDirectory } from '../temporary.ts';

interface Event {
  name: string;
  ph: string;
  ts?: number;
  dur?: number;
  pid: number;
}

/** The list may stay open in a trace, for a viewer. */
function eventsOf(file: string): Event[] {
  const events: Event[] = JSON.parse(readFileSync(file, 'utf8').replace(/,\n$/, ']'));
  return events;
}

test('milestones become spans that follow each other on the clock of all processes', () => {
  const file = join(temporaryDirectory(), 'trace.json');
  traceTo('');
  trace('before it is asked for');
  const before = Number(process.hrtime.bigint()) / 1000;
  traceTo(file);
  expect(traceFile()).toBe(file);
  trace('first');
  trace('second');
  const after = Number(process.hrtime.bigint()) / 1000;
  traceTo('');
  trace('after it is over');
  const [name, first, second, ...rest] = eventsOf(file);
  expect(rest).toEqual([]);
  expect(name).toMatchObject({ name: 'process_name', ph: 'M', pid: process.pid });
  expect(first).toMatchObject({ name: 'first', ph: 'X', pid: process.pid });
  expect(second).toMatchObject({ name: 'second', ph: 'X' });
  const end = (event: Event | undefined): number => (event?.ts ?? NaN) + (event?.dur ?? NaN);
  expect(first?.ts).toBeGreaterThanOrEqual(before);
  expect(second?.ts).toBeCloseTo(end(first), 3);
  expect(end(second)).toBeLessThanOrEqual(after);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('another process adds its spans to the file', () => {
  const file = join(temporaryDirectory(), 'trace.json');
  traceTo(file);
  trace('one');
  traceTo('');
  traceTo(file);
  trace('two');
  traceTo('');
  expect(eventsOf(file).map(({ name }) => name)).toEqual(['process_name', 'one', 'process_name', 'two']);
});

/** `t` is the module. */
const IMPORT = `const t = await import('${new URL('../../src/trace.ts', import.meta.url).href}');`;

/** What a process of its own says that is asked to trace to `file`. */
function traced(program: string, cwd: string, file: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    env: { A3S_BOX_TRACE: file },
    encoding: 'utf8',
  });
}

describe('a relative name', () => {
  test('is meant from the directory of the command, wherever a process of ours runs', () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'run.json');
    const code =
      `${IMPORT} process.chdir('/'); t.trace('one');` +
      'console.log(t.traceFile(), t.traceEnvironment().A3S_BOX_TRACE);';
    expect(traced(code, directory, 'run.json')).toBe(`${file} ${file}\n`);
    expect(eventsOf(file).map(({ name }) => name)).toEqual(['process_name', 'one']);
  });

  test('is no trace where there is no directory any more', () => {
    const code =
      `(await import('node:fs')).rmdirSync(process.cwd()); ${IMPORT}` +
      "t.trace('one'); console.log(t.traceFile(), t.takeTraceFailure());";
    const directory = join(temporaryDirectory(), 'gone');
    mkdirSync(directory);
    expect(traced(code, directory, 'run.json')).toMatch(/^ ENOENT: no such file or directory/);
  });
});

describe('a trace that cannot be written ends, and nothing else does:', () => {
  test.each([
    ['in a directory that is not there', (dir: string) => join(dir, 'none', 'run.json'), 'ENOENT'],
    ['on a disk that is full', () => '/dev/full', 'ENOSPC'],
    ['which is a directory', (dir: string) => dir, 'EISDIR'],
    [
      'into a pipe that nobody reads',
      (dir: string) => {
        execFileSync('mkfifo', [join(dir, 'pipe')]);
        return join(dir, 'pipe');
      },
      'ENXIO',
    ],
  ])('%s', (_where, path, errno) => {
    traceTo(path(temporaryDirectory()));
    trace('first');
    trace('second');
    expect(traceFile()).toBe('');
    expect(takeTraceFailure()).toContain(errno);
    // Told once.
    expect(takeTraceFailure()).toBe('');
  });
});

test('what children inherit names no trace that could not be written', () => {
  const code = `${IMPORT} t.trace('one'); console.log(JSON.stringify(t.traceEnvironment().A3S_BOX_TRACE));`;
  expect(traced(code, '/', '/dev/full')).toBe('""\n');
});
