/** The plainest measure: a command of ours beside the same one of podman's. */
import { compare, type Contender } from '../measure.ts';
import type { Goal, Row } from '../result.ts';
import type { Setting } from '../setting.ts';
import { statisticsOf } from '../statistics.ts';

/** The row of `ours` beside `other`, which is left out where there is none. */
export async function pair(
  what: string,
  rounds: number,
  { ours, other, goal, warmUp }: { ours: Contender; other: Contender | null; goal?: Goal; warmUp?: number },
): Promise<Row> {
  const { times, ratios } = await compare(other === null ? [ours] : [ours, other], rounds, warmUp);
  const [mine = statisticsOf([]), figures] = times;
  return {
    what,
    unit: 'ms',
    ours: mine,
    ...(other === null || figures === undefined
      ? {}
      : {
          beside: { name: other.name.split(' ', 1)[0] ?? other.name, figures },
          ratio: ratios[0] ?? Number.NaN,
        }),
    ...(goal === undefined ? {} : { goal }),
  };
}

/** The same words to podman, where it is installed. */
export function besides(setting: Setting, ...words: string[]): Contender | null {
  return setting.hasPodman ? setting.podman(...words) : null;
}
