/** `cp` of 1 GB and of 10,000 files, both ways. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { TREE_DIGEST, expectFile, fileDigest, treeDigest } from '../digest.ts';
import { expects, type Contender } from '../measure.ts';
import type { MeasureResult } from '../result.ts';
import { IMAGE, STAYS, type Setting } from '../setting.ts';
import { pair } from './pair.ts';

const BIG_BYTES = 1e9;
const FILES = 10_000;
/** Many seconds each: few tell enough. */
const MOST_ROUNDS = 3;

/** Moved, because an emulated machine takes longer to remove ten thousand files than to get them. */
const AWAY = 'if [ -d /copy ]; then mv /copy "$(mktemp -d)"; else rm -f /copy; fi';

type Side = (...words: string[]) => Contender;

/** What is copied, and how one tells that it has arrived. */
interface Load {
  what: string;
  source: string;
  /** Looks at what is in the box, by its digest or, where that takes an emulated machine too long, by less. */
  inBox: (side: Side) => void;
  /** Looks at what came back. */
  onHost: (path: string) => void | Promise<void>;
}

export async function copy(setting: Setting, rounds: number): Promise<MeasureResult> {
  const count = Math.min(rounds, MOST_ROUNDS);
  const ours: Side = (...words) => setting.ours(...words);
  const podman: Side = (...words) => setting.podman(...words);
  const back = join(setting.dir, 'back');
  const fresh = (): void => rmSync(back, { recursive: true, force: true });
  const loads = [await bigFile(setting), manyFiles(setting)];
  setting.tellBoth('run', '-d', '--name', 'bench', '--memory', '512m', IMAGE, ...STAYS);
  /** A destination that is not there, and a disk that owes nothing to whoever was before. */
  const into = (side: Side, { source, inBox }: Load): Contender => ({
    ...side('cp', source, 'bench:/copy'),
    before: () => {
      setting.tell(side('exec', 'bench', 'sh', '-c', AWAY));
      execFileSync('sync');
    },
    after: () => inBox(side),
  });
  const from = (side: Side, { onHost }: Load): Contender => ({
    ...side('cp', 'bench:/copy', back),
    before: () => {
      fresh();
      execFileSync('sync');
    },
    after: () => onHost(back),
  });
  try {
    const rows = [];
    for (const load of loads) {
      // The last copy into each box is the one that comes back: its digest is that of the whole way.
      for (const [way, direction] of [
        [into, 'into'],
        [from, 'from'],
      ] as const) {
        rows.push(
          await pair(`cp of ${load.what} ${direction} a box`, count, {
            ours: way(ours, load),
            other: setting.hasPodman ? way(podman, load) : null,
            ...(load === loads[0] ? { goal: { most: 1.5, of: 'ratio' } as const } : {}),
          }),
        );
      }
    }
    return { rows };
  } finally {
    setting.removeBoxes();
    for (const { source } of loads) rmSync(source, { recursive: true });
    fresh();
  }
}

async function bigFile(setting: Setting): Promise<Load> {
  const source = join(setting.dir, 'big');
  // Not a hole: those are copied as such by some.
  execFileSync('sh', ['-c', `head -c ${BIG_BYTES} /dev/urandom > "$0"`, source]);
  const digest = await fileDigest(source);
  return {
    what: '1 GB',
    source,
    inBox: (side) =>
      expects(`${BIG_BYTES}`)(setting.tell(side('exec', 'bench', 'stat', '-c', '%s', '/copy'))),
    onHost: (path) => expectFile(path, digest),
  };
}

function manyFiles(setting: Setting): Load {
  const source = join(setting.dir, 'many');
  mkdirSync(source);
  for (let n = 0; n < FILES; n += 1) writeFileSync(join(source, `file-${n}`), `content of file ${n}\n`);
  const digest = treeDigest(source);
  return {
    what: `${FILES} files`,
    source,
    inBox: (side) =>
      expects(digest)(setting.tell(side('exec', 'bench', 'sh', '-c', `cd /copy && ${TREE_DIGEST}`))),
    onHost: (path) => expects(digest)(treeDigest(path)),
  };
}
