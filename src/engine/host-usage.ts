/** What boxes cost the host: counters of their VMs' processes. */
import { readFileSync } from 'node:fs';

import { findBoxProcesses } from '../state/processes.ts';

/** Linux's USER_HZ, the same on every architecture that Node runs on. */
const TICKS = 100;

export interface HostFigures {
  /** In seconds. */
  time: number;
  cpuSeconds: number;
  memoryBytes: number;
}

/** The VM's process of each of these boxes that has one, by the box's directory. However many there are, /proc is read once. */
export function findVms(boxDirs: readonly string[]): Map<string, number> {
  if (boxDirs.length === 0) return new Map();
  const vms = findBoxProcesses(...boxDirs).filter(({ role }) => role === 'vm');
  return new Map(vms.map(({ boxDir, pid }) => [boxDir, pid]));
}

/** Nothing is used by a process that has ended, or was never found. */
export function hostFigures(pid: number | undefined): HostFigures {
  const time = performance.now() / 1000;
  try {
    return { time, ...counters(pid) };
  } catch {
    return { time, cpuSeconds: 0, memoryBytes: 0 };
  }
}

/** Fields 14, 15 of /proc/PID/stat and the private part of its memory (proc(5)). */
function counters(pid = 0): Omit<HostFigures, 'time'> {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS, memoryBytes: kib * 1024 };
}
