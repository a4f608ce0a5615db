/** Memory and processor time of boxes that do nothing, of warm boxes that wait, and of who keeps them. */
import { join } from 'node:path';

import { readBoxes } from '../../src/state/boxes-file.ts';
import { findBoxProcesses } from '../../src/state/processes.ts';
import { processesNaming } from '../footprint.ts';
import { expects, timeMany } from '../measure.ts';
import { availableMib, memoryOf, processorTime, type Memory } from '../processes.ts';
import { priceOfRest } from '../rest.ts';
import type { Curve, MeasureResult, Row } from '../result.ts';
import { valueRow } from '../rows.ts';
import { BOX_ID, IMAGE, STAYS, type Setting } from '../setting.ts';

const COUNTS = [1, 10, 50, 100];
const WIDTH = 4;
const WARM = 2;
/** A monitor and its QEMU, the network in it. */
const PROCESSES = 2;
const IDLE_MS = 20_000;
/** A guest writes back what its start has changed, and looks after it, for up to half a minute. */
const SETTLE_MS = 30_000;
/** Needed for each box; fewer boxes are made where there is less. */
const BOX_MIB = 150;
/** The goals: MiB, and parts of a core in a hundred. */
const MEMORY_MIB = 60;
const PROCESSOR = 1;
/** Not counted, but there: what boxes share with each other is shared with it, by the first one too. */
const WITNESS = 'witness';

const KINDS: readonly (readonly [keyof Memory, string])[] = [
  ['written', 'private, written'],
  ['clean', 'private, of files'],
  ['shared', 'shared'],
  ['proportional', 'proportional share'],
];

/** Of one box, or of whatever is told of: per second of a core, in a hundred. */
interface Idle extends Memory {
  processor: number;
}

export async function idleBoxes(setting: Setting): Promise<MeasureResult> {
  const rows: Row[] = [];
  const notes: string[] = [];
  const lines: Curve['lines'] = KINDS.map(([, name]) => ({ name, points: [] }));
  const start = { ...setting.ours('run', '-d', IMAGE, ...STAYS), after: expects(BOX_ID) };
  setting.tell(setting.ours('run', '-d', '--name', WITNESS, IMAGE, ...STAYS));
  try {
    let there = 0;
    for (const count of COUNTS) {
      if (availableMib() < (count - there) * BOX_MIB) {
        notes.push(`No room for ${count} boxes.`);
        break;
      }
      await timeMany(start, count - there, WIDTH);
      there = count;
      const idle = await perBox(await boxDirectories(setting));
      rows.push(...rowsOf(`each of ${count} idle boxes`, idle, true));
      KINDS.forEach(([kind], n) => lines[n]?.points.push([count, idle[kind]]));
    }
    rows.push(...(await pooled(setting)));
    const { rested, again } = priceOfRest();
    notes.push(
      `Here a page of memory costs ${rested.toFixed(1)} µs to read after a second of rest, ${again.toFixed(2)} µs at once after that.`,
    );
  } finally {
    setting.removeBoxes();
  }
  const curve: Curve = { title: 'Memory of an idle box', x: 'boxes', y: 'MiB', lines };
  notes.push(
    'Monitor and QEMU of each, the network included; one more box runs beside those that are counted.',
  );
  return { rows, curves: [curve], notes };
}

/** Boxes that wait in a pool, and its keeper. */
async function pooled(setting: Setting): Promise<Row[]> {
  setting.tell(setting.ours('pool', 'start', '--image', IMAGE, '--size', String(WARM), '--wait'));
  try {
    const ids = setting.tell(setting.ours('pool', 'ls', '-q')).split('\n');
    if (ids.length !== WARM) throw new Error(`${ids.length} boxes wait instead of ${WARM}`);
    const warm = await perBox(
      ids.map((id) => join(setting.layout.boxesDir, id.replaceAll('-', '').slice(0, 12))),
    );
    const keepers = processesNaming(setting.home).filter((line) => line.includes('__keep-pools'));
    const keeper = await watch(keepers.map((line) => Number.parseInt(line, 10)));
    if (keepers.length !== 1) throw new Error(`${keepers.length} keepers`);
    return [
      ...rowsOf('each warm box that waits', warm, false),
      ...rowsOf('the keeper of the pool', keeper, false),
    ];
  } finally {
    setting.tell(setting.ours('pool', 'stop'));
  }
}

/** @throws Error when a box has not all its processes: one that has died would make the figures better */
async function perBox(directories: readonly string[]): Promise<Idle> {
  const pids = directories.flatMap((directory) => findBoxProcesses(directory).map(({ pid }) => pid));
  if (pids.length !== directories.length * PROCESSES)
    throw new Error(`${pids.length} processes of ${directories.length} boxes`);
  const all = await watch(pids);
  const share = (total: number): number => total / directories.length;
  return {
    written: share(all.written),
    clean: share(all.clean),
    shared: share(all.shared),
    proportional: share(all.proportional),
    processor: share(all.processor),
  };
}

/** All of them together, once they have settled. */
async function watch(pids: readonly number[]): Promise<Idle> {
  await pause(SETTLE_MS);
  const before = pids.map(processorTime);
  await pause(IDLE_MS);
  const spent = pids.map((pid, n) => processorTime(pid) - (before[n] ?? Number.NaN));
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const memory = pids.map(memoryOf);
  return {
    written: sum(memory.map(({ written }) => written)),
    clean: sum(memory.map(({ clean }) => clean)),
    shared: sum(memory.map(({ shared }) => shared)),
    proportional: sum(memory.map(({ proportional }) => proportional)),
    processor: (sum(spent) / (IDLE_MS / 1000)) * 100,
  };
}

function rowsOf(
  what: string,
  { written, clean, shared, proportional, processor }: Idle,
  judged: boolean,
): Row[] {
  const most = (goal: number): number | undefined => (judged ? goal : undefined);
  return [
    valueRow(`private memory of ${what}`, 'MiB', written + clean, most(MEMORY_MIB)),
    valueRow('– written, or swapped out', 'MiB', written),
    valueRow('– of files that nobody else has mapped', 'MiB', clean),
    valueRow('shared with others', 'MiB', shared),
    valueRow('its share of all memory (PSS)', 'MiB', proportional),
    valueRow(`processor time of ${what}`, '% of a core', processor, most(PROCESSOR)),
  ];
}

async function boxDirectories(setting: Setting): Promise<string[]> {
  const boxes = await readBoxes(setting.layout);
  return boxes.filter(({ name }) => name !== WITNESS).map(({ box_dir }) => box_dir);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
