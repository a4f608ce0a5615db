/** `exec`: a command that does nothing, and how fast bytes go through one, both ways. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { expectFile, fileDigest } from '../digest.ts';
import { expects, time, type Contender } from '../measure.ts';
import type { MeasureResult } from '../result.ts';
import type { Setting } from '../setting.ts';
import { besides, having, pair } from './pair.ts';

const MIB = 1024 * 1024;
const STREAM_MIB = 64;
/** Large: it is the channel that is measured, not the emulated program's system calls. */
const PIECE = 64 * 1024;
/** Seconds each: few tell enough. */
const MOST_ROUNDS = 10;

export async function exec(setting: Setting, rounds: number): Promise<MeasureResult> {
  const nothing = expects('');
  return setting.withBox(async () => ({
    rows: [
      await pair('exec BOX true', rounds, {
        ours: { ...setting.ours('exec', 'bench', 'true'), after: nothing },
        other: having(besides(setting, 'exec', 'bench', 'true'), { after: nothing }),
        goal: { most: 0.8, of: 'ratio' },
      }),
      await pair('exec BOX true, a program of Node that does nothing', rounds, {
        ours: { ...setting.ours('exec', 'bench', 'true'), after: nothing },
        other: setting.bareNode,
      }),
    ],
  }));
}

export async function execStreams(setting: Setting, rounds: number): Promise<MeasureResult> {
  const file = join(setting.dir, 'stream');
  const got = join(setting.dir, 'stream-got');
  execFileSync('sh', ['-c', `head -c ${STREAM_MIB}m /dev/urandom > "$0"`, file]);
  const digest = await fileDigest(file);
  const count = Math.min(rounds, MOST_ROUNDS);
  const pieces = (STREAM_MIB * MIB) / PIECE;
  const out = ['exec', 'bench', 'dd', 'if=/stream', `bs=${PIECE}`];
  const into = ['exec', '-i', 'bench', 'sh', '-c', `dd bs=${PIECE} iflag=fullblock of=/dev/null 2>&1`];
  const read = { stdout: got, after: () => expectFile(got, digest) };
  const written = { stdin: file, after: expects(`${pieces}+0 records in\n${pieces}+0 records out\n`) };
  try {
    return await setting.withBox(async () => {
      setting.tellBoth('cp', file, 'bench:/stream');
      const rows = [
        await pair(`exec, ${STREAM_MIB} MiB from the box`, count, {
          ours: { ...setting.ours(...out), ...read },
          other: having(besides(setting, ...out), read),
        }),
        await pair(`exec -i, ${STREAM_MIB} MiB into the box`, count, {
          ours: { ...setting.ours(...into), ...written },
          other: having(besides(setting, ...into), written),
        }),
      ];
      const whole = ['exec', '-i', 'bench', 'sha256sum'];
      for (const contender of [setting.ours(...whole), besides(setting, ...whole)]) {
        if (contender !== null) await arrives(contender, file, digest);
      }
      return { rows };
    });
  } finally {
    for (const path of [file, got]) rmSync(path, { force: true });
  }
}

/** The bytes that go in are those that the box sees; once, because an emulated machine takes its time for a digest. */
async function arrives(contender: Contender, file: string, digest: string): Promise<void> {
  await time({ ...contender, stdin: file, after: expects(`${digest}  -\n`) });
}
