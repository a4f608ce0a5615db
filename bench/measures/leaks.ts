/** Five hundred boxes come and go beside one that stays, in which five hundred commands are run: nothing has grown. */
import { readFileSync, readdirSync } from 'node:fs';

import { readBoxes } from '../../src/state/boxes-file.ts';
import { findBoxProcesses } from '../../src/state/processes.ts';
import { traceOf, type Trace } from '../footprint.ts';
import type { MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { statisticsOf } from '../statistics.ts';

const CYCLES = 500;
/** What a monitor's heap may differ by from one collection to the next, in MiB. */
const HEAP_MIB = 16;
/** Until every buffer and every function has been there once. */
const WARM_UP = 20;
const KIB_PER_MIB = 1024;

export async function leaks(setting: Setting, rounds: number): Promise<MeasureResult> {
  const cycles = rounds < 10 ? rounds * 10 : CYCLES;
  const cycle = (): void => {
    const id = setting.tell(setting.ours('run', '-d', IMAGE, 'sleep', '1000'));
    setting.tell(setting.ours('exec', id, 'true'));
    setting.tell(setting.ours('rm', '-f', id));
    setting.tell(setting.ours('exec', 'stays', 'true'));
  };
  setting.tell(setting.ours('run', '-d', '--name', 'stays', IMAGE, 'sleep', '100000'));
  try {
    for (let n = 0; n < WARM_UP; n += 1) cycle();
    const before = { trace: traceOf(setting.home), monitor: await monitorOf(setting) };
    for (let n = 0; n < cycles; n += 1) cycle();
    const after = { trace: traceOf(setting.home), monitor: await monitorOf(setting) };
    const grown = (what: string, unit: string, from: number, to: number, most = 0): Row => ({
      what: `${what}, grown over ${cycles} cycles of run, exec, rm`,
      unit,
      ours: statisticsOf([to - from]),
      goal: { most, of: 'value' },
    });
    const kinds: readonly (keyof Trace)[] = ['processes', 'files', 'sockets'];
    return {
      rows: [
        ...kinds.map((kind) => grown(kind, '', before.trace[kind].length, after.trace[kind].length)),
        grown('open files of a monitor', '', before.monitor.descriptors, after.monitor.descriptors),
        grown('memory of a monitor', 'MiB', before.monitor.mib, after.monitor.mib, HEAP_MIB),
      ],
    };
  } finally {
    setting.removeBoxes();
  }
}

async function monitorOf(setting: Setting): Promise<{ descriptors: number; mib: number }> {
  const box = (await readBoxes(setting.layout)).find(({ name }) => name === 'stays');
  const monitor = findBoxProcesses(box?.box_dir ?? '').find(({ role }) => role === 'monitor');
  if (monitor === undefined) throw new Error('the box that was to stay is gone');
  const rollup = readFileSync(`/proc/${monitor.pid}/smaps_rollup`, 'latin1');
  return {
    descriptors: readdirSync(`/proc/${monitor.pid}/fd`).length,
    mib: Number(/^Private_Dirty: +(\d+)/m.exec(rollup)?.[1] ?? 0) / KIB_PER_MIB,
  };
}
