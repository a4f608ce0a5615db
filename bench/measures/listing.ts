/** `ps` with few and with many boxes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { readBoxes } from '../../src/state/boxes-file.ts';
import { compare } from '../measure.ts';
import type { Curve, MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { statisticsOf } from '../statistics.ts';
import { makeStoppedBoxes } from '../stopped-boxes.ts';

const COUNTS = [10, 100, 1000];
const GOAL_COUNT = 1000;

export async function listing(setting: Setting, rounds: number): Promise<MeasureResult> {
  const name = setting.tell(setting.ours('create', IMAGE, 'true'));
  const model = (await readBoxes(setting.layout)).find(({ id }) => id === name);
  setting.tell(setting.ours('rm', name));
  if (model === undefined) throw new Error('no box to copy');
  const rows: Row[] = [];
  const points: [number, number][] = [];
  for (const count of COUNTS) {
    const home = mkdtempSync(join(setting.dir, 'many-'));
    await makeStoppedBoxes(home, model, count);
    // Its caches, and compiled code.
    const ps = { ...setting.ours('ps', '-a'), env: { A3S_HOME: home }, name: `ps -a, ${count} boxes` };
    const made = setting.tell({ ...setting.ours('ps', '-aq'), env: { A3S_HOME: home } });
    if (made.split('\n').length !== count) throw new Error(`ps shows other than ${count} boxes`);
    const { times, ratios } = await compare([ps, setting.bareNode], rounds, 2);
    const [ours = statisticsOf([]), figures = statisticsOf([])] = times;
    rows.push({
      what: `ps -a, ${count} boxes`,
      unit: 'ms',
      ours,
      beside: { name: 'node -e 0', figures },
      ratio: ratios[0] ?? Number.NaN,
      ...(count === GOAL_COUNT ? { goal: { most: 3, of: 'ratio' } as const } : {}),
    });
    points.push([count, ours.median]);
    rmSync(home, { recursive: true });
  }
  const curve: Curve = { title: 'ps -a', x: 'stopped boxes', y: 'ms', lines: [{ name: 'a3s-box', points }] };
  return { rows, curves: [curve] };
}
