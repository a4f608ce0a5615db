/** The plainest measure: a command of ours beside the same one of podman's. */
import { compare, type Contender } from '../measure.ts';
import type { Goal, Row } from '../result.ts';
import { comparedRow } from '../rows.ts';
import type { Setting } from '../setting.ts';
import { statisticsOf } from '../statistics.ts';

/** The row of `ours` beside `other`, which is left out where there is none. */
export async function pair(
  what: string,
  rounds: number,
  { ours, other, goal, warmUp }: { ours: Contender; other: Contender | null; goal?: Goal; warmUp?: number },
): Promise<Row> {
  if (other !== null) {
    const name = other.name.split(' ', 1)[0] ?? other.name;
    return comparedRow(what, await compare([ours, other], rounds, warmUp), name, goal);
  }
  const { times } = await compare([ours], rounds, warmUp);
  const [mine = statisticsOf([])] = times;
  return { what, unit: 'ms', ours: mine, ...(goal === undefined ? {} : { goal }) };
}

/** The same words to podman, where it is installed. */
export function besides(setting: Setting, ...words: string[]): Contender | null {
  return setting.hasPodman ? setting.podman(...words) : null;
}

/** The contender with more to be done before and after; none stays none. */
export function having(contender: Contender, more: Partial<Contender>): Contender;
export function having(contender: Contender | null, more: Partial<Contender>): Contender | null;
export function having(contender: Contender | null, more: Partial<Contender>): Contender | null {
  return contender === null ? null : { ...contender, ...more };
}
