/** Five hundred boxes come and go beside one that stays, in which five hundred commands are run: nothing has grown. */
import { readdirSync, statSync } from 'node:fs';

import { readBoxes } from '../../src/state/boxes-file.ts';
import { findBoxProcesses } from '../../src/state/processes.ts';
import { settledLeftovers, traceOf, type Trace } from '../footprint.ts';
import { expects } from '../measure.ts';
import { memoryOf } from '../processes.ts';
import type { MeasureResult, Row } from '../result.ts';
import { valueRow } from '../rows.ts';
import { BOX_ID, IMAGE, STAYS, type Setting } from '../setting.ts';

const CYCLES = 500;
/** What a monitor's heap may differ by from one collection to the next, in MiB. */
const HEAP_MIB = 16;
/** What a guest's kernel may spread its processes over, of pages that it had not touched before, in MiB. */
const GUEST_MIB = 32;
/** boxes.json has one box in it before and after; dates and the like may be a few digits longer. */
const RECORD_BYTES = 64;
/** Until every buffer and every function has been there once. */
const WARM_UP = 20;

interface Grower {
  descriptors: number;
  mib: number;
}

export async function leaks(setting: Setting, rounds: number): Promise<MeasureResult> {
  const cycles = rounds < 10 ? rounds * 10 : CYCLES;
  const cycle = (): void => {
    const id = setting.tell(setting.ours('run', '-d', IMAGE, ...STAYS));
    expects(BOX_ID)(`${id}\n`);
    expects('on')(setting.tell(setting.ours('exec', id, 'echo', 'on')));
    expects(id)(setting.tell(setting.ours('rm', '-f', id)));
    expects('on')(setting.tell(setting.ours('exec', 'stays', 'echo', 'on')));
  };
  setting.tell(setting.ours('run', '-d', '--name', 'stays', IMAGE, ...STAYS));
  try {
    const alone = traceOf(setting.home);
    for (let n = 0; n < WARM_UP; n += 1) cycle();
    // Not in the middle of the last steps of the last box.
    await settledLeftovers(setting.home, alone);
    const before = await stateOf(setting);
    for (let n = 0; n < cycles; n += 1) cycle();
    const left = await settledLeftovers(setting.home, before.trace);
    const after = await stateOf(setting);
    const grown = (what: string, unit: string, figure: number, most = 0): Row =>
      valueRow(`${what}, grown over ${cycles} cycles of run, exec, rm`, unit, figure, most);
    const kinds: readonly (keyof Trace)[] = ['processes', 'files', 'sockets'];
    return {
      rows: [
        ...kinds.map((kind) => grown(kind, '', left.filter((line) => line.startsWith(`${kind}:`)).length)),
        grown('locks', '', after.locks - before.locks),
        grown('boxes.json', 'bytes', after.recordBytes - before.recordBytes, RECORD_BYTES),
        ...(['monitor', 'vm'] as const).flatMap((role) => {
          const what = role === 'monitor' ? 'a monitor' : 'its QEMU';
          const [from, to] = [before[role], after[role]];
          return [
            grown(`open files of ${what}`, '', to.descriptors - from.descriptors),
            grown(`memory of ${what}`, 'MiB', to.mib - from.mib, role === 'monitor' ? HEAP_MIB : GUEST_MIB),
          ];
        }),
      ],
      notes: left,
    };
  } finally {
    setting.removeBoxes();
  }
}

async function stateOf(
  setting: Setting,
): Promise<{ trace: Trace; locks: number; recordBytes: number; monitor: Grower; vm: Grower }> {
  const box = (await readBoxes(setting.layout)).find(({ name }) => name === 'stays');
  const processes = findBoxProcesses(box?.box_dir ?? '/nowhere');
  const grower = (wanted: 'monitor' | 'vm'): Grower => {
    const found = processes.find(({ role }) => role === wanted);
    if (found === undefined) throw new Error('the box that was to stay is gone');
    const descriptors = readdirSync(`/proc/${found.pid}/fd`).length;
    return { descriptors, mib: memoryOf(found.pid).written };
  };
  return {
    trace: traceOf(setting.home),
    locks: readdirSync(setting.layout.locksDir).length,
    recordBytes: statSync(setting.layout.boxesFile).size,
    monitor: grower('monitor'),
    vm: grower('vm'),
  };
}
