/** Rows from figures that were taken round by round. Pure. */
import type { Comparison } from './measure.ts';
import type { Goal, Row } from './result.ts';
import { median, statisticsOf } from './statistics.ts';

interface Beside {
  name: string;
  values: readonly number[];
}

/** Ours, beside another's of the same rounds; the ratio is the median of theirs. */
export function rowOf(
  what: string,
  unit: string,
  values: readonly number[],
  { beside, goal }: { beside?: Beside; goal?: Goal } = {},
): Row {
  return {
    what,
    unit,
    ours: statisticsOf(values),
    ...(beside === undefined
      ? {}
      : {
          beside: { name: beside.name, figures: statisticsOf(beside.values) },
          ratio: median(values.map((value, round) => value / (beside.values[round] ?? Number.NaN))),
        }),
    ...(goal === undefined ? {} : { goal }),
  };
}

/** A figure that was taken once. */
export function valueRow(what: string, unit: string, figure: number, most?: number): Row {
  return rowOf(what, unit, [figure], most === undefined ? {} : { goal: { most, of: 'value' } });
}

/** Ours, the first, beside the last of what was compared. */
export function comparedRow(what: string, { times, ratios }: Comparison, name: string, goal?: Goal): Row {
  const [ours = statisticsOf([])] = times;
  const figures = times.at(-1) ?? ours;
  return {
    what,
    unit: 'ms',
    ours,
    beside: { name, figures },
    ratio: ratios[0] ?? Number.NaN,
    ...(goal === undefined ? {} : { goal }),
  };
}
