/** `exec`: a command that does nothing, and how fast bytes go through one, both ways. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { MeasureResult } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { besides, pair } from './pair.ts';

const MIB = 1024 * 1024;
const STREAM_MIB = 64;

export async function exec(setting: Setting, rounds: number): Promise<MeasureResult> {
  return withBoxes(setting, async () => ({
    rows: [
      await pair('exec BOX true', rounds, {
        ours: setting.ours('exec', 'bench', 'true'),
        other: besides(setting, 'exec', 'bench', 'true'),
        goal: { most: 0.8, of: 'ratio' },
      }),
      await pair('exec BOX true, a program of Node that does nothing', rounds, {
        ours: setting.ours('exec', 'bench', 'true'),
        other: setting.bareNode,
      }),
    ],
  }));
}

export async function execStreams(setting: Setting, rounds: number): Promise<MeasureResult> {
  const file = join(setting.dir, 'stream');
  writeFileSync(file, Buffer.alloc(STREAM_MIB * MIB, 'x'));
  const out = ['exec', 'bench', 'head', '-c', `${STREAM_MIB}m`, '/dev/zero'];
  const into = ['exec', '-i', 'bench', 'sh', '-c', `test "$(wc -c)" = ${STREAM_MIB * MIB}`];
  try {
    return await withBoxes(setting, async () => {
      const podmanIn = besides(setting, ...into);
      return {
        rows: [
          await pair(`exec, ${STREAM_MIB} MiB from the box`, rounds, {
            ours: setting.ours(...out),
            other: besides(setting, ...out),
          }),
          await pair(`exec -i, ${STREAM_MIB} MiB into the box`, rounds, {
            ours: { ...setting.ours(...into), stdin: file },
            other: podmanIn === null ? null : { ...podmanIn, stdin: file },
          }),
        ],
      };
    });
  } finally {
    rmSync(file);
  }
}

async function withBoxes(setting: Setting, work: () => Promise<MeasureResult>): Promise<MeasureResult> {
  const words = ['run', '-d', '--name', 'bench', IMAGE, 'sleep', '100000'];
  setting.tell(setting.ours(...words));
  if (setting.hasPodman) setting.tell(setting.podman(...words));
  try {
    return await work();
  } finally {
    setting.removeBoxes();
  }
}
