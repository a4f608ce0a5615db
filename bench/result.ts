/** What a measure gives. */
import type { Statistics } from './statistics.ts';

export interface Goal {
  /** The largest ratio, or the largest value where there is nothing to compare with. */
  most: number;
  of: 'ratio' | 'value';
}

export interface Row {
  /** What was measured. */
  what: string;
  unit: string;
  ours: Statistics;
  /** What it is beside, and its figures. */
  beside?: { name: string; figures: Statistics };
  /** Ours to the other's, by rounds. */
  ratio?: number;
  goal?: Goal;
}

/** How something grows. */
export interface Curve {
  title: string;
  x: string;
  y: string;
  lines: { name: string; points: [number, number][] }[];
}

export interface MeasureResult {
  rows: Row[];
  curves?: Curve[];
  /** What a reader must know of it, one sentence each. */
  notes?: string[];
}

export interface NamedResult extends MeasureResult {
  name: string;
  title: string;
  /** Why there are no figures. */
  failed?: string;
  /** How long it took to measure. */
  seconds?: number;
}

/** True when the row has reached its goal; undefined where there is none. */
export function isMet({ goal, ratio, ours }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  const value = goal.of === 'ratio' ? ratio : ours.median;
  return value !== undefined && value <= goal.most;
}
