import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';

import { JsonLog, timestamp } from '../../../src/runtime/monitor/json-log.ts';
import { randomSource } from '../random.ts';
import { temporaryDirectory } from '../../temporary.ts';

const RFC3339_NANO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

interface Line {
  log: string;
  stream: string;
  time: string;
}

function openLog(path = join(temporaryDirectory(), 'log')) {
  const errors: string[] = [];
  const log = new JsonLog(path, (line) => errors.push(line));
  return {
    log,
    errors,
    path,
    write: (stream: 'stdout' | 'stderr', chunk: string | Buffer) =>
      new Promise<void>((resolve) => log.write(stream, Buffer.from(chunk), resolve)),
    lines: (): Line[] =>
      readFileSync(path, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line): Line => JSON.parse(line)),
  };
}

const texts = (lines: Line[], stream: string): string[] =>
  lines.filter((line) => line.stream === stream).map((line) => line.log);

test('a line is one object with the fields of Docker in their order', async () => {
  const { write, log, path } = openLog();
  await write('stdout', 'hello "world"\n');
  expect(readFileSync(path, 'utf8')).toMatch(
    /^\{"log":"hello \\"world\\"\\n","stream":"stdout","time":"[^"]+Z"\}\n$/,
  );
  await log.close();
});

test('times are RFC 3339 with nine digits and now', async () => {
  const before = Date.now();
  const { write, log, lines } = openLog();
  await write('stderr', 'x\n');
  await log.close();
  const time = lines()[0]?.time ?? '';
  expect(time).toMatch(RFC3339_NANO);
  expect(Date.parse(time)).toBeGreaterThanOrEqual(before - 3);
  expect(Date.parse(time)).toBeLessThanOrEqual(Date.now() + 3);
  expect(timestamp()).toMatch(RFC3339_NANO);
});

test('an unfinished line waits for its end, and for the close at the latest', async () => {
  const { write, log, lines } = openLog();
  await write('stdout', 'one\ntw');
  expect(texts(lines(), 'stdout')).toEqual(['one\n']);
  await write('stdout', 'o\nthr');
  expect(texts(lines(), 'stdout')).toEqual(['one\n', 'two\n']);
  await log.close();
  expect(texts(lines(), 'stdout')).toEqual(['one\n', 'two\n', 'thr']);
});

test('the streams do not mix, even with both lines unfinished', async () => {
  const { write, log, lines } = openLog();
  await write('stdout', 'out ');
  await write('stderr', 'err ');
  await write('stdout', 'put\n');
  await write('stderr', 'or\n');
  await log.close();
  expect(lines().map(({ log: text, stream }) => [stream, text])).toEqual([
    ['stdout', 'out put\n'],
    ['stderr', 'err or\n'],
  ]);
});

test.each([
  [16_383, ['16383+newline']],
  [16_384, ['16384', '0+newline']],
  [16_385, ['16384', '1+newline']],
  [40_000, ['16384', '16384', '7232+newline']],
])('a line of %d bytes is cut into pieces of 16 KiB', async (size, pieces) => {
  const { write, log, lines } = openLog();
  await write('stdout', `${'x'.repeat(size)}\n`);
  await log.close();
  const shown = texts(lines(), 'stdout').map((text) =>
    text.endsWith('\n') ? `${text.length - 1}+newline` : String(text.length),
  );
  expect(shown).toEqual(pieces);
});

test('a character that is cut between chunks comes out whole', async () => {
  const { write, log, lines } = openLog();
  const bytes = Buffer.from('grüße €\n');
  for (const byte of bytes) await write('stdout', Buffer.of(byte));
  await log.close();
  expect(texts(lines(), 'stdout')).toEqual(['grüße €\n']);
});

test('the log is the same however the output is cut', async () => {
  const random = randomSource(3);
  const output = Array.from({ length: 300 }, () => 'a'.repeat(Math.floor(random() ** 8 * 50_000))).join('\n');
  const logged = async (size: () => number): Promise<string[]> => {
    const { write, log, lines } = openLog();
    for (let at = 0; at < output.length;) {
      const end = at + size();
      await write('stdout', output.slice(at, end));
      at = end;
    }
    await log.close();
    return texts(lines(), 'stdout');
  };
  const whole = await logged(() => output.length);
  expect(whole.join('')).toBe(output);
  expect(await logged(() => 1 + Math.floor(random() * 65_536))).toEqual(whole);
});

test('a log that is there is continued', async () => {
  const first = openLog();
  await first.write('stdout', 'first\n');
  await first.log.close();
  const second = openLog(first.path);
  await second.write('stdout', 'second\n');
  await second.log.close();
  expect(texts(second.lines(), 'stdout')).toEqual(['first\n', 'second\n']);
});

test('a full disk is told of once and never holds the workload', async () => {
  const { write, log, errors } = openLog('/dev/full');
  for (let n = 0; n < 5; n += 1) await write('stdout', 'line\n');
  await log.close();
  expect(errors).toEqual(['the log loses lines: ENOSPC: no space left on device, write']);
});

test('output after the close is dropped and let go, and no other file gets its bytes', async () => {
  const { write, log, errors, path } = openLog();
  await write('stdout', 'last\n');
  await log.close();
  // Most likely takes over the number of the closed descriptor.
  const other = openLog();
  await write('stdout', 'late\n');
  await other.log.close();
  expect(readFileSync(path, 'utf8')).not.toContain('late');
  expect(other.lines()).toEqual([]);
  expect(errors).toEqual([]);
});

test('times never go back by less than the clock is set', async () => {
  const { write, log, lines } = openLog();
  const clock = vi.spyOn(Date, 'now');
  const now = Date.now();
  try {
    // Far from the monotonic clock, so that the wall clock alone counts.
    for (const [shift, text] of [
      [60_000, 'a\n'],
      [59_500, 'b\n'],
      [10_000, 'c\n'],
    ] as const) {
      clock.mockReturnValue(now + shift);
      await write('stdout', text);
    }
  } finally {
    clock.mockRestore();
  }
  await log.close();
  const [first, second, third] = lines().map(({ time }) => Date.parse(time) - now);
  expect([first, second, third]).toEqual([60_000, 60_000, 10_000]);
});

describe('rotation', () => {
  const openRotating = (maxSize: number, maxFiles: number) => {
    const path = join(temporaryDirectory(), 'log');
    const log = new JsonLog(path, (line) => expect.fail(line), { maxSize, maxFiles });
    const write = (text: string) =>
      new Promise<void>((resolve) => log.write('stdout', Buffer.from(text), resolve));
    return { path, log, write };
  };
  const numbers = (path: string): string =>
    [...readFileSync(path, 'utf8').matchAll(/"log":"(\d+)/g)].map(([, digits]) => digits).join(' ');

  test('a full file is followed by the next, and the oldest go', async () => {
    const { path, log, write } = openRotating(140, 3);
    for (let n = 1; n <= 9; n += 1) await write(`${n}\n`);
    await log.close();
    expect(readdirSync(dirname(path)).toSorted()).toEqual(['log', 'log.1', 'log.2']);
    // A line takes some 72 bytes: a file is full with two.
    expect([`${path}.2`, `${path}.1`, path].map(numbers)).toEqual(['5 6', '7 8', '9']);
  });

  test('a single file is replaced', async () => {
    const { path, log, write } = openRotating(140, 1);
    await write('1\n2\n3\n4\n5\n');
    await log.close();
    expect(readdirSync(dirname(path))).toEqual(['log']);
    expect(numbers(path)).toBe('5');
  });

  test('goes on where an earlier monitor stopped', async () => {
    const { path, log, write } = openRotating(140, 2);
    await write('1\n');
    await log.close();
    const again = new JsonLog(path, () => {}, { maxSize: 140, maxFiles: 2 });
    await new Promise<void>((resolve) => again.write('stdout', Buffer.from('2\n3\n'), resolve));
    await again.close();
    expect([`${path}.1`, path].map(numbers)).toEqual(['1 2', '3']);
  });
});

test('attributes stand at each line', async () => {
  const path = join(temporaryDirectory(), 'log');
  const log = new JsonLog(path, () => {}, { maxSize: Infinity, maxFiles: 1, attributes: { a: 'b' } });
  await new Promise<void>((resolve) => log.write('stdout', Buffer.from('x\n'), resolve));
  await log.close();
  expect(readFileSync(path, 'utf8')).toMatch(
    /^\{"log":"x\\n","stream":"stdout","attrs":\{"a":"b"\},"time":"/,
  );
});
