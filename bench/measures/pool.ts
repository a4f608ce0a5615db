/** `run` with warm boxes: one at a time with a box ready, and many in a row while the pool refills. */
import { timeMany, type Contender } from '../measure.ts';
import type { MeasureResult, Row } from '../result.ts';
import { rowOf } from '../rows.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { inTurn } from '../turns.ts';
import { until } from '../../test/e2e/fixture/until.ts';
import { besides, having, pair } from './pair.ts';
import { SAID, SAYS } from './run.ts';

const SIZE = 2;
/** In a row, as fast as they go. */
const STARTS = 20;
const WIDTHS = [1, 4];
const MOST_SAMPLES = 5;
/** The keeper hears beside the box that it was taken. */
const HEARS_MS = 10_000;

export async function pooledRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  const fill = setting.ours('pool', 'start', '--image', IMAGE, '--size', String(SIZE), '--wait');
  const full = (): void => void setting.tell(fill);
  full();
  try {
    let given = 0;
    /** What it says, and how many warm boxes it took: a measure of the pool in which none was taken is none. */
    const taking = (boxes: number): Partial<Contender> => ({
      before: full,
      after: async (output) => {
        SAID.after(output);
        given += boxes;
        await until(`${given} boxes taken from the pool`, () => taken(setting) === given, HEARS_MS);
      },
    });
    const ours = having(setting.ours(...SAYS), taking(1));
    const cold = having(without(setting), taking(0));
    const rows = [
      // As quiet beside podman as beside ours.
      await pair('run --rm IMAGE with a warm box', rounds, {
        ours,
        other: having(besides(setting, ...SAYS), taking(0)),
        goal: { most: 0.8, of: 'ratio' },
      }),
      await pair('run --rm IMAGE with a warm box, and without', rounds, { ours, other: cold }),
    ];
    const notes = ['The pool is full before each run of the first two; each has taken a box of it.'];
    for (const width of WIDTHS) {
      const { row, share } = await sustained(setting, Math.min(rounds, MOST_SAMPLES), width, full);
      rows.push(row);
      notes.push(`${width} at a time: ${share}`);
    }
    return { rows, notes };
  } finally {
    setting.tell(setting.ours('pool', 'stop'));
  }
}

/** Milliseconds per box of many in a row, beside the same without the pool; the refill runs meanwhile. */
async function sustained(
  setting: Setting,
  samples: number,
  width: number,
  full: () => void,
): Promise<{ row: Row; share: string }> {
  const sides = [{ ...setting.ours(...SAYS), ...SAID }, without(setting)];
  const before = taken(setting);
  const [mine = [], theirs = []] = await inTurn(sides.length, samples, 0, async (index) => {
    full();
    const side = sides[index];
    return side === undefined ? Number.NaN : (await timeMany(side, STARTS, width)) / STARTS;
  });
  full();
  const row = rowOf(`run --rm, ${STARTS} in a row, ${width} at a time, refilled: per box`, 'ms', mine, {
    beside: { name: 'cold', values: theirs },
  });
  return {
    row,
    share: `${taken(setting) - before} of ${samples * STARTS} boxes came from the pool of ${SIZE}.`,
  };
}

function without(setting: Setting): Contender {
  return {
    ...setting.ours(...SAYS),
    ...SAID,
    name: 'cold',
    env: { A3S_HOME: setting.home, A3S_BOX_POOL: '0' },
  };
}

function taken(setting: Setting): number {
  return Number(setting.tell(setting.ours('pool', 'status', '--format', '{{.Taken}}')));
}
