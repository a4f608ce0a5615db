/** `start`, `stop` and `rm` of one box after the other. */
import { time, type Contender } from '../measure.ts';
import type { MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { median, statisticsOf } from '../statistics.ts';

/** A workload that ends when it is told to: the first process of a container does not by itself. */
const OBEDIENT = ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'];
const VERBS = ['start', 'stop', 'rm'] as const;

type Side = (...words: string[]) => Contender;
type Times = Record<(typeof VERBS)[number], number[]>;

export async function lifecycle(setting: Setting, rounds: number): Promise<MeasureResult> {
  const sides: { name: string; side: Side; times: Times }[] = [
    { name: 'a3s-box', side: (...words) => setting.ours(...words), times: noTimes() },
  ];
  if (setting.hasPodman)
    sides.push({ name: 'podman', side: (...words) => setting.podman(...words), times: noTimes() });
  for (let round = -1; round < rounds; round += 1) {
    for (const { side, times } of round % 2 === 0 ? sides : sides.toReversed()) {
      setting.tell(side('run', '-d', '--name', 'bench', IMAGE, ...OBEDIENT));
      setting.tell(side('stop', 'bench'));
      for (const verb of VERBS) {
        const ms = await time(side(verb, 'bench'));
        if (round >= 0) times[verb].push(ms);
      }
    }
  }
  const [ours, other] = sides;
  const rows = VERBS.map((verb): Row => {
    const mine = ours?.times[verb] ?? [];
    const theirs = other?.times[verb];
    return {
      what: verb,
      unit: 'ms',
      ours: statisticsOf(mine),
      ...(theirs === undefined
        ? {}
        : {
            beside: { name: 'podman', figures: statisticsOf(theirs) },
            ratio: median(mine.map((ms, round) => ms / (theirs[round] ?? Number.NaN))),
          }),
    };
  });
  return { rows };
}

function noTimes(): Times {
  return { start: [], stop: [], rm: [] };
}
