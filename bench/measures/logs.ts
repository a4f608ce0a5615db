/** `logs` of boxes that have said much. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { expectFile, fileDigest } from '../digest.ts';
import { plainEnvironment } from '../environment.ts';
import type { Contender } from '../measure.ts';
import type { Curve, Goal, MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { besides, having, pair } from './pair.ts';

const MB = 1e6;
const GOAL: Goal = { most: 1.5, of: 'ratio' };
const SIZES = [1, 10, 100];
const LINE = 'x'.repeat(99);
/** Seconds each: few tell enough. */
const MOST_ROUNDS = 5;

export async function logs(setting: Setting, rounds: number): Promise<MeasureResult> {
  const rows: Row[] = [];
  const lines: Curve['lines'] = [
    { name: 'a3s-box', points: [] },
    { name: 'podman', points: [] },
  ];
  const said = join(setting.dir, 'said');
  const got = join(setting.dir, 'logs');
  try {
    for (const megabytes of SIZES) {
      const script = `yes ${LINE} | head -c ${megabytes * MB}`;
      execFileSync('sh', ['-c', `${script} > "$0"`, said]);
      const digest = await fileDigest(said);
      const name = `log${megabytes}`;
      const words = ['--name', name, IMAGE, 'sh', '-c', script];
      quietly(setting.ours('run', ...words));
      if (setting.hasPodman) quietly(setting.podman('run', '--log-driver', 'k8s-file', ...words));
      const checked = { stdout: got, after: () => expectFile(got, digest) };
      const row = await pair(`logs of ${megabytes} MB`, Math.min(rounds, MOST_ROUNDS), {
        ours: { ...setting.ours('logs', name), ...checked },
        other: having(besides(setting, 'logs', name), checked),
        ...(megabytes === 100 ? { goal: GOAL } : {}),
      });
      rows.push(row);
      lines[0]?.points.push([megabytes, row.ours.median]);
      if (row.beside !== undefined) lines[1]?.points.push([megabytes, row.beside.figures.median]);
    }
  } finally {
    setting.removeBoxes();
    for (const path of [said, got]) rmSync(path, { force: true });
  }
  const drawn = lines.filter(({ points }) => points.length > 0);
  return { rows, curves: [{ title: 'logs', x: 'MB', y: 'ms', lines: drawn }] };
}

function quietly({ command, env }: Contender): void {
  const [program = '', ...args] = command;
  execFileSync(program, args, {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
