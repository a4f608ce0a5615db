/** `start`, `stop` and `rm` of one box after the other. */
import { time, type Contender } from '../measure.ts';
import type { MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { median, statisticsOf } from '../statistics.ts';

/** A workload that ends when it is told to, once it has said so: the first process of a container does not by itself. */
const OBEDIENT = ['sh', '-c', 'trap "exit 0" TERM; echo ready; sleep 100000 & wait'];
const READY_MS = 30_000;
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
      await ready(setting, side, 1);
      setting.tell(side('stop', 'bench'));
      for (const verb of VERBS) {
        const ms = await time(side(verb, 'bench'));
        if (round >= 0) times[verb].push(ms);
        if (verb === 'start') await ready(setting, side, 2);
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

/** Waits until the workload of the box's `starts`th start obeys: before, it loses what it is told. */
async function ready(setting: Setting, side: Side, starts: number): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (setting.tell(side('logs', 'bench')).split('\n').filter(Boolean).length < starts) {
    if (performance.now() > deadline) throw new Error('the workload does not say that it is ready');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function noTimes(): Times {
  return { start: [], stop: [], rm: [] };
}
