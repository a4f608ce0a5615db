/** Contexts and Dockerfiles that are far too large for what they are: time and memory have bounds. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../../temporary.ts';
import { type CliOptions, CliProcess, type Outcome } from '../fixture/cli.ts';
import { makeContext } from './fixture/context.ts';
import { leftovers } from './fixture/leftovers.ts';

const DEADLINE_MS = 300_000;
const MIB = 1024;

/** Builds, and tells the peak of the command's memory in KiB as well. */
async function measured(
  words: readonly string[],
  options: CliOptions = {},
): Promise<Outcome & { peak: number }> {
  const build = new CliProcess(['build', '--progress', 'plain', ...words], {
    deadlineMs: DEADLINE_MS,
    ...options,
  });
  build.child.stdin.end(options.stdin ?? '');
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${build.pid}/status`, 'utf8');
      peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? peak);
    } catch {
      // It has ended.
    }
  }, 50);
  const outcome = await build.ended.finally(() => clearInterval(timer));
  expect(leftovers()).toEqual([]);
  return { ...outcome, peak };
}

describe('a context of 100,000 files', { timeout: DEADLINE_MS }, () => {
  let context: string;
  // A slow disk takes minutes for so many, in which vitest must not be kept waiting.
  beforeAll(async () => {
    context = makeContext({ Dockerfile: 'FROM scratch\nCOPY . /x/\n' });
    for (let directory = 0; directory < 100; directory++) {
      const path = join(context, `d${directory}`);
      mkdirSync(path);
      const names = Array.from({ length: 1000 }, (_, file) => `f${file}`);
      await Promise.all(names.map((name) => writeFile(join(path, name), name)));
    }
  }, DEADLINE_MS);
  afterAll(() => rm(context, { recursive: true, force: true }), DEADLINE_MS);

  test('is copied with less than 600 MiB', async () => {
    const out = join(temporaryDirectory(), 'out.tar');
    const { status, err, peak } = await measured(['-o', `type=tar,dest=${out}`, context]);
    expect(status, err).toBe(0);
    expect(peak).toBeLessThan(600 * MIB);
  });

  test('costs nothing when it is ignored, or when one file is copied', async () => {
    writeFileSync(join(context, '.dockerignore'), '*\n');
    const ignored = await measured(['-o', join(context, 'out'), context]);
    expect(ignored.status, ignored.err).toBe(0);
    rmSync(join(context, '.dockerignore'));
    const stdin = 'FROM scratch\nCOPY d7/f7 /\n';
    const one = await measured(['-f', '-', '-o', join(context, 'out'), context], { stdin });
    expect(one.status, one.err).toBe(0);
    for (const { peak } of [ignored, one]) expect(peak).toBeLessThan(150 * MIB);
  });
});

describe('a Dockerfile', () => {
  const words = ['-f', '-', '-o', 'type=tar,dest=/dev/null', '.'];
  const build = async (text: string): Promise<Outcome & { peak: number }> => {
    const cwd = makeContext({ f: '' });
    try {
      return await measured(words, { cwd, stdin: text });
    } finally {
      rmSync(cwd, { recursive: true });
    }
  };

  test.each<[string, string]>([
    ['comments', `${'# a comment that says nothing at all\n'.repeat(140_000)}FROM scratch\nCOPY f /\n`],
    ['one document', `FROM scratch\nCOPY <<end /f\n${'some line of text\n'.repeat(290_000)}end\n`],
    [
      'continuations',
      `FROM scratch\nLABEL a=b \\\n${`  k=${'v'.repeat(250)} \\\n`.repeat(20_000)}  c=d\nCOPY f /\n`,
    ],
    ['stages', `${`FROM scratch\nLABEL a=${'b'.repeat(480)}\n`.repeat(10_000)}COPY f /\n`],
  ])('of 5 MB is built: %s', async (_what, text) => {
    const { status, err, peak } = await build(text);
    expect(status, err.slice(-2000)).toBe(0);
    expect(peak).toBeLessThan(1500 * MIB);
  });

  test('with a line of 5 MB is refused', async () => {
    const { status, err } = await build(`FROM scratch\nLABEL l="${'x'.repeat(5_000_000)}"\n`);
    expect(err.slice(-200)).toMatch(
      /^ERROR: failed to solve: dockerfile line greater than max allowed size of 65535$/m,
    );
    expect(status).toBe(1);
  });

  test('above the limit is refused', async () => {
    const { status, err } = await build(`${'# a comment\n'.repeat(1_500_000)}FROM scratch\n`);
    expect(err).toBe('ERROR: failed to read dockerfile: read Dockerfile: larger than 16 MiB\n');
    expect(status).toBe(1);
  });
});
