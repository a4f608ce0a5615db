/** The most memory that a command took, with every process that it started. */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

import { plainEnvironment } from './environment.ts';
import type { Contender } from './measure.ts';

const SAMPLE_MS = 50;
const KIB_PER_MIB = 1024;

interface Known {
  parent: number;
  group: number;
}

/**
 * Runs the command; MiB of the highest sum of the peaks (VmHWM) of its processes that lived at one time, and milliseconds. A process is its
 * when it is in its process group, or was started by one that is.
 * @throws Error when it fails
 */
export async function peakMemory({ name, command, env }: Contender): Promise<{ mib: number; ms: number }> {
  const [program = '', ...args] = command;
  const began = performance.now();
  const child = spawn(program, args, {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const family = new Set([child.pid ?? 0]);
  let mib = 0;
  const timer = setInterval(() => {
    mib = Math.max(mib, sumOfPeaks(family, child.pid ?? 0));
  }, SAMPLE_MS);
  try {
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (status !== 0) throw new Error(`${name} failed with status ${String(status)}: ${complaint}`);
  } finally {
    clearInterval(timer);
  }
  return { mib, ms: performance.now() - began };
}

/** Takes new members into the family: one whose parent ended is still known. */
function sumOfPeaks(family: Set<number>, group: number): number {
  let sum = 0;
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  // Parents have smaller numbers than their children, but where the numbers began anew.
  for (const pid of pids.map(Number).toSorted((a, b) => a - b)) {
    const known = lookAt(pid);
    if (known === null) continue;
    if (known.group === group || family.has(known.parent)) family.add(pid);
    if (family.has(pid)) sum += peakOf(pid);
  }
  return sum / KIB_PER_MIB;
}

function lookAt(pid: number): Known | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), group: Number(fields[2]) };
  } catch {
    // It ended meanwhile.
    return null;
  }
}

/** KiB. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
