/** What processes take, from /proc. */
import { readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS = 100;
const KIB_PER_MIB = 1024;

/** MiB. */
export interface Memory {
  /** Written, by this process alone, in memory or swapped out: nobody else can use it. */
  written: number;
  /** Pages of files that no other process has mapped now. The kernel may drop them; a next process would share them. */
  clean: number;
  shared: number;
  /** The own share of everything: PSS. */
  proportional: number;
}

/** Seconds of processor time so far. */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

export function memoryOf(pid: number): Memory {
  return parseRollup(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
}

/** From the text of a smaps_rollup. */
export function parseRollup(text: string): Memory {
  const field = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0) / KIB_PER_MIB;
  return {
    written: field('Private_Dirty') + field('Swap'),
    clean: field('Private_Clean'),
    shared: field('Shared_Clean') + field('Shared_Dirty'),
    proportional: field('Pss'),
  };
}

/** MiB that the machine has to give. */
export function availableMib(): number {
  return Number(/MemAvailable: +(\d+)/.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? 0) / KIB_PER_MIB;
}
