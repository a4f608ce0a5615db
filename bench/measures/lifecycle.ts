/** `start`, `stop` and `rm` of one box after the other; `rm` and `ps` of twenty at once. */
import { expects, time, type Contender } from '../measure.ts';
import type { MeasureResult, Row } from '../result.ts';
import { rowOf } from '../rows.ts';
import { IMAGE, STAYS, type Setting } from '../setting.ts';
import { inTurn } from '../turns.ts';
import { until } from '../../test/e2e/fixture/until.ts';
import { besides, having, pair } from './pair.ts';

/** A workload that ends when it is told to, once it has said so: the first process of a container does not by itself. */
const OBEDIENT = ['sh', '-c', 'trap "exit 0" TERM; echo ready; sleep 100000 & wait'];
const READY_MS = 30_000;
const VERBS = ['start', 'stop', 'rm'] as const;
const MANY = 20;
/** Each makes twenty boxes before it is measured. */
const MOST_ROUNDS = 5;

type Side = (...words: string[]) => Contender;

export async function lifecycle(setting: Setting, rounds: number): Promise<MeasureResult> {
  const sides = sidesOf(setting);
  const [mine = [], theirs] = await inTurn(sides.length, rounds, 1, (index) => {
    const side = sides[index];
    if (side === undefined) throw new Error('no such side');
    return lifeOf(setting, side);
  });
  const rows = VERBS.map((verb): Row => {
    const values = mine.map((times) => times[verb]);
    if (theirs === undefined) return rowOf(verb, 'ms', values);
    return rowOf(verb, 'ms', values, {
      beside: { name: 'podman', values: theirs.map((times) => times[verb]) },
    });
  });
  return { rows };
}

/** Milliseconds of each verb, and that each did what it says. */
async function lifeOf(setting: Setting, side: Side): Promise<Record<(typeof VERBS)[number], number>> {
  const state = (field: string): string =>
    setting.tell(side('inspect', '--format', `{{.State.${field}}}`, 'bench'));
  const is = (field: string, wanted: string): void => {
    const found = state(field);
    if (found !== wanted) throw new Error(`the box's ${field} is ${found}, not ${wanted}`);
  };
  setting.tell(side('run', '-d', '--name', 'bench', IMAGE, ...OBEDIENT));
  await ready(setting, side, 1);
  setting.tell(side('stop', 'bench'));
  const start = await time({ ...side('start', 'bench'), after: expects('bench\n') });
  is('Running', 'true');
  await ready(setting, side, 2);
  const stop = await time({ ...side('stop', 'bench'), after: expects('bench\n') });
  is('Running', 'false');
  // It has heard the signal: nobody killed it.
  is('ExitCode', '0');
  const rm = await time(side('rm', 'bench'));
  if (setting.tell(side('ps', '-aq')) !== '') throw new Error('rm has left the box');
  return { start, stop, rm };
}

/** Waits until the workload of the box's `starts`th start obeys: before, it loses what it is told. */
async function ready(setting: Setting, side: Side, starts: number): Promise<void> {
  const said = (): number => setting.tell(side('logs', 'bench')).split('\n').filter(Boolean).length;
  await until('the word of the workload that it is ready', () => said() >= starts, READY_MS);
}

/** Twenty at once: names in one command, and rows of one list. */
export async function twenty(setting: Setting, rounds: number): Promise<MeasureResult> {
  const count = Math.min(rounds, MOST_ROUNDS);
  const names = Array.from({ length: MANY }, (_, n) => `bench${n}`);
  const make = (side: Side, ...words: string[]): void => {
    for (const name of names) setting.tell(side(...words.slice(0, 1), '--name', name, ...words.slice(1)));
  };
  const [mine = noSide, theirs] = sidesOf(setting);
  const removal = (side: Side, flags: readonly string[], ...words: string[]): Contender => ({
    ...side('rm', ...flags, ...names),
    before: () => make(side, ...words),
    after: () => expects('')(setting.tell(side('ps', '-aq'))),
  });
  const created = ['create', IMAGE, 'true'];
  const running = ['run', '-d', IMAGE, ...STAYS];
  const removed = await pair(`rm of ${MANY} boxes`, count, {
    ours: removal(mine, [], ...created),
    other: theirs === undefined ? null : removal(theirs, [], ...created),
  });
  const killed = await pair(`rm -f of ${MANY} running boxes`, count, {
    ours: removal(mine, ['-f'], ...running),
    other: theirs === undefined ? null : removal(theirs, ['-f', '-t', '0'], ...running),
    warmUp: 0,
  });
  for (const side of sidesOf(setting)) make(side, ...running);
  const all = { after: expects(new RegExp(`^(?:.+\n){${MANY + 1}}$`)) };
  const listed = await pair(`ps with ${MANY} running boxes`, rounds, {
    ours: { ...setting.ours('ps'), ...all },
    other: having(besides(setting, 'ps'), all),
  });
  setting.removeBoxes();
  return { rows: [removed, killed, listed] };
}

function sidesOf(setting: Setting): Side[] {
  const ours: Side = (...words) => setting.ours(...words);
  const podman: Side = (...words) => setting.podman(...words);
  return setting.hasPodman ? [ours, podman] : [ours];
}

function noSide(): never {
  throw new Error('no side');
}
