/** What moves many bytes: `logs` of 100 MB, `cp` of 1 GB and of 10,000 files. */
import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import type { Contender } from '../measure.ts';
import type { Curve, Goal, MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { besides, pair } from './pair.ts';

const MB = 1e6;
const GOAL: Goal = { most: 1.5, of: 'ratio' };
const LOG_SIZES = [1, 10, 100];
const LINE = 'x'.repeat(99);
const BIG_BYTES = 1e9;
const FILES = 10_000;
/** Seconds each: few tell enough. */
const MOST_ROUNDS = 5;

export async function logs(setting: Setting, rounds: number): Promise<MeasureResult> {
  const rows: Row[] = [];
  const ours: [number, number][] = [];
  const theirs: [number, number][] = [];
  for (const megabytes of LOG_SIZES) {
    const words = [
      'run',
      '--name',
      `log${megabytes}`,
      IMAGE,
      'sh',
      '-c',
      `yes ${LINE} | head -c ${megabytes * MB}`,
    ];
    quietly(setting.ours(...words));
    if (setting.hasPodman) quietly(setting.podman('run', '--log-driver', 'k8s-file', ...words.slice(1)));
    const row = await pair(`logs of ${megabytes} MB`, Math.min(rounds, MOST_ROUNDS), {
      ours: setting.ours('logs', `log${megabytes}`),
      other: besides(setting, 'logs', `log${megabytes}`),
      ...(megabytes === 100 ? { goal: GOAL } : {}),
    });
    rows.push(row);
    ours.push([megabytes, row.ours.median]);
    if (row.beside !== undefined) theirs.push([megabytes, row.beside.figures.median]);
  }
  setting.removeBoxes();
  const lines = [
    { name: 'a3s-box', points: ours },
    { name: 'podman', points: theirs },
  ];
  const curve: Curve = {
    title: 'logs',
    x: 'MB',
    y: 'ms',
    lines: lines.filter(({ points }) => points.length > 0),
  };
  return { rows, curves: [curve] };
}

export async function copy(setting: Setting, rounds: number): Promise<MeasureResult> {
  const count = Math.min(rounds, MOST_ROUNDS);
  const big = join(setting.dir, 'big');
  writeFileSync(big, '');
  // Not a hole: those are copied as such by some.
  execFileSync('sh', ['-c', `head -c ${BIG_BYTES} /dev/urandom > "$0"`, big]);
  truncateSync(big, BIG_BYTES);
  const many = join(setting.dir, 'many');
  mkdirSync(many);
  for (let n = 0; n < FILES; n += 1) writeFileSync(join(many, `file-${n}`), `content of file ${n}\n`);
  const words = ['run', '-d', '--name', 'bench', '--memory', '512m', IMAGE, 'sleep', '100000'];
  setting.tell(setting.ours(...words));
  if (setting.hasPodman) setting.tell(setting.podman(...words));
  const back = join(setting.dir, 'back');
  const fresh = (path: string): void => rmSync(path, { recursive: true, force: true });
  const checked = (contender: Contender | null, size: number): Contender | null =>
    contender === null
      ? null
      : {
          ...contender,
          before: () => fresh(back),
          after: () => {
            if (statSync(back).size < size) throw new Error(`${contender.name} has not copied everything`);
          },
        };
  try {
    const rows: Row[] = [];
    for (const [what, from, to, goal] of [
      ['cp of 1 GB into a box', big, 'bench:/big', GOAL],
      ['cp of 1 GB from a box', 'bench:/big', back, GOAL],
      [`cp of ${FILES} files into a box`, many, 'bench:/many', undefined],
      [`cp of ${FILES} files from a box`, 'bench:/many', back, undefined],
    ] as const) {
      const size = from === 'bench:/big' ? BIG_BYTES : 1;
      const leaves = to === back;
      const ours = setting.ours('cp', from, to);
      const other = besides(setting, 'cp', from, to);
      const row = await pair(what, count, {
        ours: leaves ? (checked(ours, size) ?? ours) : ours,
        other: leaves ? checked(other, size) : other,
        warmUp: 1,
        ...(goal === undefined ? {} : { goal }),
      });
      rows.push(row);
    }
    return { rows };
  } finally {
    setting.removeBoxes();
    for (const path of [big, many, back]) fresh(path);
  }
}

function quietly({ command, env }: Contender): void {
  const [program = '', ...args] = command;
  execFileSync(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
}
