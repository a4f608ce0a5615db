/** Facts about host processes, from /proc. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

import { A3sError, hasErrno } from '../errors.ts';

/** Index of field 22 (start time) among the fields that follow the command name, proc(5). */
const START_FIELD = 19;
const KILL_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

/** Programs that run on behalf of a box: its monitor, its VM. A user's `tail` of a box's log is not ours to kill. */
const MONITOR = /^node(\d+)?$/;
const VM = /^(qemu-|passt|gvproxy)/;

/** Start time of a process in clock ticks since boot; null when there is none or it is a zombie. */
export function processStart(pid: number): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  return startFromStat(stat);
}

/** The start time in the text of a /proc/PID/stat; null for a dead process. */
export function startFromStat(stat: string): number | null {
  // The command name may hold spaces and parentheses: the fields start after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === undefined || state === 'Z' || state === 'X' || state === 'x') return null;
  const start = Number(fields[START_FIELD]);
  return Number.isSafeInteger(start) ? start : null;
}

/** True when the process that was recorded is still the one that runs. */
export function isAlive(pid: number | null, start: number | null): boolean {
  return pid !== null && start !== null && processStart(pid) === start;
}

export interface BoxProcess {
  pid: number;
  start: number;
  role: 'monitor' | 'vm';
}

/** This user's processes that work for the box in `boxDir`: their arguments name the directory. Never this process. */
export function findBoxProcesses(boxDir: string): BoxProcess[] {
  const found: BoxProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const role = roleFor(pid, boxDir);
    const start = role === null ? null : processStart(pid);
    if (role !== null && start !== null) found.push({ pid, start, role });
  }
  return found;
}

function roleFor(pid: number, boxDir: string): BoxProcess['role'] | null {
  try {
    if (!namesDirectory(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), boxDir)) return null;
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return null;
    const program = basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '');
    return MONITOR.test(program) ? 'monitor' : VM.test(program) ? 'vm' : null;
  } catch {
    // It ended meanwhile, or is a kernel thread.
    return null;
  }
}

/** True when the text holds the directory itself or a path in it, but not a longer name that starts alike. */
function namesDirectory(text: string, directory: string): boolean {
  for (let at = text.indexOf(directory); at >= 0; at = text.indexOf(directory, at + 1)) {
    const next = text[at + directory.length];
    if (next === undefined || '/\0,: "\''.includes(next)) return true;
  }
  return false;
}

/**
 * Kills every process of a box and waits until they are gone. Monitors first, so that none starts another VM.
 * @returns how many were killed.
 * @throws A3sError `timeout` when one survives 5 s.
 */
export async function killBoxProcesses(boxDir: string): Promise<number> {
  const deadline = performance.now() + KILL_TIMEOUT_MS;
  const killed = new Set<string>();
  for (;;) {
    const found = findBoxProcesses(boxDir);
    if (found.length === 0) return killed.size;
    if (performance.now() > deadline) {
      throw new A3sError('timeout', `process ${found[0]?.pid} of ${boxDir} survived SIGKILL for 5 s`);
    }
    found.sort((a, b) => a.role.localeCompare(b.role));
    for (const { pid, start } of found) {
      if (isAlive(pid, start)) sendKill(pid);
      killed.add(`${pid} ${start}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Gone already: that is what was wanted.
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}
