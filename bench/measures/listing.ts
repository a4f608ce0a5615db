/** `ps` with few and with many boxes. */
import { compare, expects } from '../measure.ts';
import type { Curve, MeasureResult, Row } from '../result.ts';
import { comparedRow } from '../rows.ts';
import type { Setting } from '../setting.ts';
import { makeStoppedBoxes } from '../stopped-boxes.ts';

const COUNTS = [10, 100, 1000];
const GOAL_COUNT = 1000;

export async function listing(setting: Setting, rounds: number): Promise<MeasureResult> {
  const model = await setting.model();
  const rows: Row[] = [];
  const points: [number, number][] = [];
  // One that has been used, as any with boxes in it: with its caches, among them compiled code.
  const home = await setting.otherHome('listing');
  try {
    let there = 0;
    for (const count of COUNTS) {
      await makeStoppedBoxes(home.home, model, count - there);
      there = count;
      const ps = { ...home.ours('ps', '-a'), after: expects(new RegExp(`^(?:.+\n){${count + 1}}$`)) };
      const comparison = await compare([ps, setting.bareNode], rounds, 2);
      const goal = { most: 3, of: 'ratio' } as const;
      const row = comparedRow(
        `ps -a, ${count} boxes`,
        comparison,
        'node -e 0',
        count === GOAL_COUNT ? goal : undefined,
      );
      rows.push(row);
      points.push([count, row.ours.median]);
    }
  } finally {
    await home.remove();
  }
  const curve: Curve = { title: 'ps -a', x: 'stopped boxes', y: 'ms', lines: [{ name: 'a3s-box', points }] };
  return { rows, curves: [curve] };
}
