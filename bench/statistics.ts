/** Figures of a row of numbers. Pure. */

export interface Statistics {
  median: number;
  p95: number;
  best: number;
  worst: number;
  count: number;
}

/** @param values at least one */
export function statisticsOf(values: readonly number[]): Statistics {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: median(sorted),
    p95: at(sorted, Math.min(Math.ceil(sorted.length * 0.95) - 1, sorted.length - 1)),
    best: at(sorted, 0),
    worst: at(sorted, sorted.length - 1),
    count: sorted.length,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (at(sorted, Math.ceil(middle) - 1) + at(sorted, Math.floor(middle))) / 2;
}

function at(values: readonly number[], index: number): number {
  const value = values[Math.max(index, 0)];
  return value ?? Number.NaN;
}
