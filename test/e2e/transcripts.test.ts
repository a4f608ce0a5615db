/** Commands that were recorded with Docker, run again with a3s-box in its place: same status, same bytes on the same stream. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { comparable, normal } from '../fixture/transcripts/normal.ts';
import { adapted, different, skipped } from '../fixture/transcripts/replay.ts';
import { CUT, RECORDED_DIRECTORY, transcripts, type Recorded } from '../fixture/transcripts/transcripts.ts';
import { importBusybox } from './fixture/busybox-image.ts';
import { a3s, a3sOk, LAUNCHER, type Outcome } from './fixture/cli.ts';
import { quiet } from './fixture/processes.ts';

/** What the first recording's image has in /bin, and what the second's has beyond it. */
const APPLETS = ['cat', 'echo', 'ls', 'sh', 'sleep', 'true'];
const FURTHER_APPLETS = ['false', 'grep', 'mount', 'stty', 'test', 'touch', 'tty'];

/** Cold templates, under emulation. */
const WARM_MS = 180_000;

const directory = mkdtempSync('/tmp/a3s-golden-');
const home = join(directory, 'home');
const work = join(directory, 'work');
const bin = join(directory, 'bin');
/** The state directory of the recorded engine. */
const RECORDED_HOME = '/var/lib/docker';
const env = { A3S_HOME: home, PATH: `${bin}:${process.env['PATH']}`, SHELL: '/bin/bash' };

beforeAll(async () => {
  for (const path of [work, bin]) mkdirSync(path);
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\nexec '${LAUNCHER}' "$@"\n`);
  chmodSync(join(bin, 'docker'), 0o755);
}, WARM_MS);

afterAll(async () => {
  const boxes = await a3sOk(['ps', '-aq'], { env });
  if (boxes !== '') await a3sOk(['rm', '-f', ...boxes.split('\n')], { env });
  await quiet(home);
  rmSync(directory, { recursive: true });
});

/** The image that the commands name, with nothing beside it, and its template. */
async function provideImage(from: string, applets: readonly string[]): Promise<void> {
  await importBusybox(home, { image: 'busybox', from, applets });
  await a3sOk(['run', '--rm', 'busybox', 'true'], { env, deadlineMs: WARM_MS });
  await quiet(home);
}

function bash(line: string): Promise<Outcome> {
  return a3s(['-c', line.replaceAll(RECORDED_DIRECTORY, work)], { program: ['/bin/bash'], env, cwd: work });
}

async function replay(entry: Recorded): Promise<void> {
  const { before, as = entry.command } = adapted[entry.name] ?? {};
  if (before !== undefined) expect(await bash(before)).toMatchObject({ status: 0 });
  const { status, out, err } = await bash(as);
  const { kept, other } = comparable(entry.stdout, out, CUT);
  const { because: _because, stdout, stderr, ...differing } = different[entry.name] ?? {};
  expect({ status, stdout: normal(other.replaceAll(home, RECORDED_HOME)), stderr: normal(err) }).toEqual({
    status: entry.status,
    stdout: expected(normal(kept), stdout),
    stderr: expected(normal(entry.stderr), stderr),
    ...differing,
  });
}

function expected(recorded: string, own: string | RegExp | undefined): unknown {
  return own instanceof RegExp ? expect.stringMatching(own) : (own ?? recorded);
}

describe('containers', () => {
  beforeAll(async () => {
    await provideImage('a3s/base', APPLETS);
    await a3sOk(['tag', 'busybox', 'localhost/bb'], { env });
  }, WARM_MS);

  test.each(replayed(transcripts.containers))('$name: $command', replay);
});

describe('volumes and more', () => {
  beforeAll(() => provideImage('localhost/bb', [...APPLETS, ...FURTHER_APPLETS]), WARM_MS);

  test.each(replayed(transcripts.further))('$name: $command', replay);
});

function replayed(entries: readonly Recorded[]): Recorded[] {
  return entries.filter(({ name }) => skipped[name] === undefined);
}
