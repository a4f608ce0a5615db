/** Many boxes: starts per second, starts of fifty. */
import { readBoxes } from '../../src/state/boxes-file.ts';
import { expects, time, timeMany } from '../measure.ts';
import type { Curve, MeasureResult, Row } from '../result.ts';
import { rowOf } from '../rows.ts';
import { BOX_ID, IMAGE, STAYS, type Setting } from '../setting.ts';
import { median } from '../statistics.ts';
import { inTurn } from '../turns.ts';

const WIDTHS = [1, 4, 16];
const STARTS = 32;
const FLOCK = 50;
const FLOCK_WIDTH = 4;
/** Starts alone for each flock. */
const ALONE = 5;
/** Each is of many boxes. */
const MOST_SAMPLES = 5;
const MS_PER_S = 1000;

export async function startsPerSecond(setting: Setting, rounds: number): Promise<MeasureResult> {
  const words = ['run', '--rm', IMAGE, 'true'];
  const silent = { after: expects('') };
  const sides = [{ ...setting.ours(...words), ...silent }];
  if (setting.hasPodman) sides.push({ ...setting.podman(...words), ...silent });
  const rows: Row[] = [];
  const lines: Curve['lines'] = sides.map((_, n) => ({ name: n === 0 ? 'a3s-box' : 'podman', points: [] }));
  for (const width of WIDTHS) {
    const [mine = [], theirs] = await inTurn(sides.length, Math.min(rounds, MOST_SAMPLES), 0, async (n) => {
      const side = sides[n];
      return side === undefined ? Number.NaN : (await timeMany(side, STARTS, width)) / STARTS;
    });
    const beside = theirs === undefined ? {} : { beside: { name: 'podman', values: theirs } };
    const row = rowOf(`run --rm of ${STARTS} boxes, ${width} at a time: per box`, 'ms', mine, beside);
    rows.push(row);
    lines[0]?.points.push([width, MS_PER_S / row.ours.median]);
    if (row.beside !== undefined) lines[1]?.points.push([width, MS_PER_S / row.beside.figures.median]);
  }
  return { rows, curves: [{ title: 'Starts per second', x: 'at a time', y: '1/s', lines }] };
}

/** Fifty boxes that stay, per box, beside one `run -d` alone. */
export async function flock(setting: Setting, rounds: number): Promise<MeasureResult> {
  const start = { ...setting.ours('run', '-d', IMAGE, ...STAYS), after: expects(BOX_ID) };
  const samples = Math.min(rounds, MOST_SAMPLES);
  const alone = async (): Promise<number> => {
    const times: number[] = [];
    for (let n = 0; n < ALONE; n += 1) {
      times.push(await time(start));
      setting.removeOurBoxes();
    }
    return median(times);
  };
  const together = async (): Promise<number> => {
    const total = await timeMany(start, FLOCK, FLOCK_WIDTH);
    const running = (await readBoxes(setting.layout)).filter(({ status }) => status === 'running').length;
    const listed = setting.tell(setting.ours('ps', '-q')).split('\n').length;
    if (running !== FLOCK || listed !== FLOCK) throw new Error(`${running} of ${FLOCK} boxes run`);
    setting.removeOurBoxes();
    return total / FLOCK;
  };
  const [flocks = [], singles = []] = await inTurn(2, samples, 0, (n) => (n === 0 ? together() : alone()));
  const row = rowOf(`run -d of ${FLOCK} boxes, ${FLOCK_WIDTH} at a time: per box`, 'ms', flocks, {
    beside: { name: 'one run -d', values: singles },
    goal: { most: 1, of: 'ratio' },
  });
  return {
    rows: [row],
    notes: [`One run -d is the median of ${ALONE} for each flock, each with no other box there.`],
  };
}
