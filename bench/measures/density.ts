/** Many boxes: starts per second, starts of fifty, memory and processor time of idle ones. */
import { readFileSync } from 'node:fs';

import { readBoxes } from '../../src/state/boxes-file.ts';
import { findBoxProcesses } from '../../src/state/processes.ts';
import { compare, timeMany } from '../measure.ts';
import type { Curve, MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { statisticsOf } from '../statistics.ts';

const WIDTHS = [1, 4, 16];
const STARTS = 32;
const FLOCK = 50;
const FLOCK_WIDTH = 4;
const COUNTS = [1, 10, 50, 100];
const IDLE_MS = 20_000;
const SETTLE_MS = 5_000;
/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS = 100;
const KIB_PER_MIB = 1024;
/** Needed for each box; fewer boxes are made where there is less. */
const BOX_MIB = 150;

export async function startsPerSecond(setting: Setting): Promise<MeasureResult> {
  const rows: Row[] = [];
  for (const width of WIDTHS) {
    const words = ['run', '--rm', IMAGE, 'true'];
    const ours = (await timeMany(setting.ours(...words), STARTS, width)) / STARTS;
    const theirs = setting.hasPodman
      ? (await timeMany(setting.podman(...words), STARTS, width)) / STARTS
      : undefined;
    rows.push({
      what: `run --rm, ${width} at a time: ms per box`,
      unit: 'ms',
      ours: statisticsOf([ours]),
      ...(theirs === undefined
        ? {}
        : { beside: { name: 'podman', figures: statisticsOf([theirs]) }, ratio: ours / theirs }),
    });
  }
  return {
    rows,
    notes: [`${STARTS} boxes each; a thousand through the milliseconds is the starts per second.`],
  };
}

/** Fifty boxes that stay, beside one. */
export async function flock(setting: Setting, rounds: number): Promise<MeasureResult> {
  const words = ['run', '-d', IMAGE, 'sleep', '100000'];
  const remove = (id: string): void => void setting.tell(setting.ours('rm', '-f', id.trim()));
  const single = await compare([{ ...setting.ours(...words), after: remove }], rounds);
  const total = await timeMany(setting.ours(...words), FLOCK, FLOCK_WIDTH);
  setting.removeBoxes();
  const [one = statisticsOf([])] = single.times;
  const each = total / FLOCK;
  return {
    rows: [
      {
        what: `run -d of ${FLOCK} boxes, ${FLOCK_WIDTH} at a time: ms per box`,
        unit: 'ms',
        ours: statisticsOf([each]),
        beside: { name: 'one run -d', figures: one },
        ratio: each / one.median,
        goal: { most: 1, of: 'ratio' },
      },
    ],
  };
}

/** Private memory and processor time of boxes that do nothing, monitors included; the network is in QEMU. */
export async function idleBoxes(setting: Setting): Promise<MeasureResult> {
  const rows: Row[] = [];
  const privates: [number, number][] = [];
  const proportionals: [number, number][] = [];
  const notes: string[] = [];
  for (const count of COUNTS) {
    const running = (await readBoxes(setting.layout)).length;
    if (availableMib() < (count - running) * BOX_MIB) {
      notes.push(`No room for ${count} boxes.`);
      break;
    }
    await timeMany(setting.ours('run', '-d', IMAGE, 'sleep', '100000'), count - running, FLOCK_WIDTH);
    await pause(SETTLE_MS);
    const pids = await processes(setting);
    const before = pids.map(ticks);
    await pause(IDLE_MS);
    const spent = pids.map((pid, index) => ticks(pid) - (before[index] ?? 0));
    const memory = pids.map(memoryOf);
    const perBox = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / count;
    const owned = perBox(memory.map((each) => each.owned)) / KIB_PER_MIB;
    const proportional = perBox(memory.map((each) => each.proportional)) / KIB_PER_MIB;
    const cpu = (perBox(spent) / TICKS / (IDLE_MS / 1000)) * 100;
    privates.push([count, owned]);
    proportionals.push([count, proportional]);
    rows.push(
      value(`private memory of each of ${count} idle boxes`, 'MiB', owned, 60),
      value(`its share of all memory (PSS)`, 'MiB', proportional),
      value(`processor time of each of ${count} idle boxes`, '% of a core', cpu, 1),
    );
  }
  setting.removeBoxes();
  const lines = [
    { name: 'private', points: privates },
    { name: 'proportional share', points: proportionals },
  ];
  const curve: Curve = { title: 'Memory of an idle box', x: 'boxes', y: 'MiB', lines };
  return { rows, curves: [curve], notes };
}

function value(what: string, unit: string, figure: number, most?: number): Row {
  const row: Row = { what, unit, ours: statisticsOf([figure]) };
  return most === undefined ? row : { ...row, goal: { most, of: 'value' } };
}

async function processes(setting: Setting): Promise<number[]> {
  const boxes = await readBoxes(setting.layout);
  return boxes.flatMap(({ box_dir }) => findBoxProcesses(box_dir).map(({ pid }) => pid));
}

function ticks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** KiB. */
function memoryOf(pid: number): { owned: number; proportional: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const field = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { owned: field('Private_Clean') + field('Private_Dirty'), proportional: field('Pss') };
}

function availableMib(): number {
  return Number(/MemAvailable: +(\d+)/.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? 0) / KIB_PER_MIB;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
