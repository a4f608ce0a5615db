import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { type LogLine, readLogs } from '../../../src/engine/logs.ts';
import { JsonLog } from '../../../src/runtime/monitor/json-log.ts';
import { updateBox } from '../../../src/state/box-updates.ts';
import { updateBoxes } from '../../../src/state/boxes-file.ts';
import { processStart } from '../../../src/state/processes.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { addBoxes, testEngine } from './fixture/engine.ts';

const ALL = { follow: false, tail: undefined, since: undefined, until: undefined };
const live = { status: 'running', pid: process.pid, pid_start: processStart(process.pid) } as const;

function entry(second: number, text: string, stream = 'stdout'): string {
  const time = `2026-01-02T03:04:${String(second).padStart(2, '0')}.000000001Z`;
  return `${JSON.stringify({ log: text, stream, time })}\n`;
}

async function boxWithLog(content: string, state: Partial<BoxRecord> = { status: 'stopped', exit_code: 0 }) {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'd1', ...state });
  const directory = box?.box_dir ?? '';
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'workload-json.log');
  writeFileSync(file, content);
  return { engine, file, id: box?.id ?? '' };
}

async function collect(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function texts(lines: AsyncIterable<LogLine>): Promise<string[]> {
  return (await collect(lines)).map((line) => line.text);
}

test('each line comes with its time and its stream', async () => {
  const { engine } = await boxWithLog(entry(1, 'out\n') + entry(2, 'é err\n', 'stderr'));
  expect(await collect(readLogs(engine, 'd1', ALL))).toEqual([
    { time: '2026-01-02T03:04:01.000000001Z', stream: 'stdout', text: 'out\n' },
    { time: '2026-01-02T03:04:02.000000001Z', stream: 'stderr', text: 'é err\n' },
  ]);
});

test('damaged lines and a half-written last one are left out', async () => {
  const { engine } = await boxWithLog(`${entry(1, 'a\n')}garbage\n{"log":1}\n${entry(2, 'b\n')}{"log":"c`);
  expect(await texts(readLogs(engine, 'd1', ALL))).toEqual(['a\n', 'b\n']);
});

describe('what could not be written', () => {
  const lost = (second: number, text: string, count: unknown): string =>
    entry(second, text).replace('}\n', `,"lost":${JSON.stringify(count)}}\n`);
  const missing = (count: number): string =>
    `WARNING: lines of the log are missing here, at least ${count}: they could not be written`;
  const CUT = 'WARNING: the log ends in the middle of a line: what came after it could not be written';
  const lines = [
    entry(1, 'a\n'),
    '{"log":"half\n',
    lost(2, 'b\n', 3),
    entry(3, 'c\n'),
    lost(4, 'd\n', 7),
  ].join('');
  const at = (second: number) => BigInt(Date.UTC(2026, 0, 2, 3, 4, second)) * 1_000_000n + 1n;

  test.each([
    ['all of it', {}, ['a\n', missing(3), 'b\n', 'c\n', missing(7), 'd\n']],
    ['a tail', { tail: 2 }, ['c\n', missing(7), 'd\n']],
    ['a tail that begins after it', { tail: 1, until: at(3) }, []],
    ['since', { since: at(3) }, ['c\n', missing(7), 'd\n']],
    ['until', { until: at(3) }, ['a\n', missing(3), 'b\n', 'c\n']],
    ['follow', { follow: true }, ['a\n', missing(3), 'b\n', 'c\n', missing(7), 'd\n']],
  ])('is told of in its place: %s', async (_name, options, expected) => {
    const { engine } = await boxWithLog(lines);
    const heard: string[] = [];
    const told = { ...engine, notify: (line: string) => void heard.push(line) };
    for await (const { text } of readLogs(told, 'd1', { ...ALL, ...options })) heard.push(text);
    expect(heard).toEqual(expected);
  });

  test.each([0, -1, 1.5, '3', null])('a count of %j is none', async (count) => {
    const { engine } = await boxWithLog(lost(1, 'a\n', count));
    expect(await texts(readLogs(engine, 'd1', ALL))).toEqual(['a\n']);
    expect(engine.warnings).toEqual([]);
  });

  test.each([
    ['of a box that has ended', {}, {}, [CUT]],
    ['of one that is followed to its end', {}, { follow: true }, [CUT]],
    ['of one that runs may still be written', live, {}, []],
    ['is later than what is asked for', {}, { until: at(1) }, []],
  ])('half a line at the end %s', async (_name, state, options, expected) => {
    const { engine } = await boxWithLog(`${entry(1, 'a\n')}{"log":"ha`, {
      status: 'stopped',
      exit_code: 0,
      ...state,
    });
    expect(await texts(readLogs(engine, 'd1', { ...ALL, ...options }))).toEqual(['a\n']);
    expect(engine.warnings).toEqual(expected);
  });
});

test('a box that never ran has no log', async () => {
  const { engine, file } = await boxWithLog('');
  rmSync(file);
  expect(await texts(readLogs(engine, 'd1', { ...ALL, follow: true }))).toEqual([]);
});

test.each([
  [0, []],
  [1, ['4999\n']],
  [3, ['4997\n', '4998\n', '4999\n']],
])('the tail of %d lines of a long log', async (tail, expected) => {
  const { engine } = await boxWithLog(
    Array.from({ length: 5000 }, (_, n) => entry(n % 60, `${n}\n`)).join(''),
  );
  expect(await texts(readLogs(engine, 'd1', { ...ALL, tail }))).toEqual(expected);
});

test('a tail longer than the log is all of it', async () => {
  const { engine } = await boxWithLog(entry(1, 'a\n') + entry(2, 'b\n'));
  expect(await texts(readLogs(engine, 'd1', { ...ALL, tail: 9 }))).toEqual(['a\n', 'b\n']);
});

test('since and until bound the times, both inclusive', async () => {
  const { engine } = await boxWithLog([1, 2, 3, 4].map((n) => entry(n, `${n}\n`)).join(''));
  const at = (second: number) => BigInt(Date.UTC(2026, 0, 2, 3, 4, second)) * 1_000_000n + 1n;
  expect(await texts(readLogs(engine, 'd1', { ...ALL, since: at(2), until: at(3) }))).toEqual(['2\n', '3\n']);
});

test('a long log is read whole, whatever its lines are cut into', async () => {
  const long = 'ü'.repeat(50_000);
  const { engine } = await boxWithLog(entry(1, long) + entry(2, `${long}\n`));
  expect(await texts(readLogs(engine, 'd1', ALL))).toEqual([long, `${long}\n`]);
});

test('following shows a new line at once and ends when the box stops', async () => {
  const { engine, file, id } = await boxWithLog(entry(1, 'first\n'), live);
  const lines = readLogs(engine, 'd1', { ...ALL, follow: true });
  expect((await lines.next()).value).toMatchObject({ text: 'first\n' });

  const half = entry(2, 'second\n');
  appendFileSync(file, half.slice(0, 20));
  const next = lines.next();
  const written = performance.now();
  appendFileSync(file, half.slice(20));
  expect((await next).value).toMatchObject({ text: 'second\n' });
  // R-26 asks for 200 ms, which test/e2e/logs.test.ts measures; a machine that is busy with other tests gets more.
  expect(performance.now() - written).toBeLessThan(5000);

  appendFileSync(file, entry(3, 'last\n'));
  await updateBox(engine.layout, id, (box) => {
    box.status = 'stopped';
    box.pid = null;
  });
  expect(await texts(lines)).toEqual(['last\n']);
});

test('following ends when the box is removed, and when its monitor is gone', async () => {
  const { engine } = await boxWithLog(entry(1, 'a\n'), live);
  const lines = readLogs(engine, 'd1', { ...ALL, follow: true });
  await lines.next();
  await updateBoxes(engine.layout, (boxes) => boxes.splice(0));
  expect(await texts(lines)).toEqual([]);
});

test('an unknown box is an error on the first step', async () => {
  await expect(readLogs(testEngine(), 'nosuch', ALL).next()).rejects.toThrow('No such container: nosuch');
});

describe('a rotated log', () => {
  const options = { 'max-size': '2k', 'max-file': '200' };
  const state = { status: 'stopped', exit_code: 0, settings: { log_options: options } } as const;

  async function rotated(lines: number, running: boolean) {
    const { engine, file, id } = await boxWithLog('', running ? { ...state, ...live } : state);
    const log = new JsonLog(file, (line) => expect.fail(line), { maxSize: 2000, maxFiles: 200 });
    const write = async (): Promise<void> => {
      for (let n = 0; n < lines; n += 10) {
        const text = Array.from({ length: 10 }, (_, index) => `${n + index}\n`).join('');
        await new Promise<void>((resolve) => log.write('stdout', Buffer.from(text), resolve));
      }
      await log.close();
    };
    return { engine, id, write, file };
  }
  const upTo = (count: number, from = 0): string[] =>
    Array.from({ length: count - from }, (_, n) => `${from + n}\n`);

  test('is read from its oldest file to its newest', async () => {
    const { engine, write } = await rotated(500, false);
    await write();
    expect(await texts(readLogs(engine, 'd1', ALL))).toEqual(upTo(500));
    expect(await texts(readLogs(engine, 'd1', { ...ALL, follow: true }))).toEqual(upTo(500));
  });

  test.each([0, 1, 20, 100, 499, 501])('has a tail of %d lines across its files', async (tail) => {
    const { engine, write } = await rotated(500, false);
    await write();
    expect(await texts(readLogs(engine, 'd1', { ...ALL, tail }))).toEqual(upTo(500, Math.max(500 - tail, 0)));
  });

  test('loses no line to a follower while it is rotated, and none comes twice', async () => {
    const { engine, id, write } = await rotated(5000, true);
    const followers = [1, 2].map(() => texts(readLogs(engine, 'd1', { ...ALL, follow: true })));
    await write();
    await updateBox(engine.layout, id, (box) => {
      box.status = 'stopped';
      box.pid = null;
    });
    for (const follower of followers) expect(await follower).toEqual(upTo(5000));
  });

  test('that is removed while it is followed ends', async () => {
    const { engine, id, write, file } = await rotated(100, true);
    await write();
    const lines = readLogs(engine, 'd1', { ...ALL, follow: true });
    await lines.next();
    rmSync(dirname(file), { recursive: true });
    await updateBoxes(engine.layout, (boxes) =>
      boxes.splice(
        boxes.findIndex((box) => box.id === id),
        1,
      ),
    );
    const rest = await texts(lines);
    expect(rest.length).toBeLessThan(100);
  });
});

test('a box that keeps no log says so', async () => {
  const { engine } = await boxWithLog('', { settings: { log_driver: 'none' } });
  await expect(readLogs(engine, 'd1', ALL).next()).rejects.toMatchObject({
    code: 'invalid_config',
    message: 'configured logging driver does not support reading',
  });
});
