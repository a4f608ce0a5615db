/** Facts about host processes, from /proc. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import { A3sError, hasErrno } from '../errors.ts';

/** Index of field 22 (start time) among the fields that follow the command name, proc(5). */
const START_FIELD = 19;
const KILL_TIMEOUT_MS = 5_000;
/** A new program shows its arguments within microseconds; one that never does is somebody else's. */
const UNSETTLED_MS = 50;
const POLL_MS = 5;

/**
 * Programs that run on behalf of a box: its monitor, its VM. A user's `tail` of a box's log is not ours to kill, nor is
 * another program of Node's.
 */
const MONITOR = /^node(\d+)?$/;
const MONITOR_SCRIPT = '/monitor.cjs';
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

/** PID and start time of this process, which together name it for ever: `4711-123456`. */
export function processMark(): string {
  return `${process.pid}-${processStart(process.pid) ?? 0}`;
}

export interface BoxProcess {
  pid: number;
  start: number;
  role: 'monitor' | 'vm';
  /** Of the directories that were asked for. */
  boxDir: string;
}

/**
 * This user's processes that work for the boxes in these directories: their arguments name one. Never this process. However many
 * directories there are, /proc is read once.
 */
export function findBoxProcesses(...boxDirs: string[]): BoxProcess[] {
  return scan(boxDirs).found;
}

interface Scan {
  found: BoxProcess[];
  /** A process is between two programs: its arguments cannot be seen yet. */
  unsettled: boolean;
}

function scan(boxDirs: readonly string[]): Scan {
  const result: Scan = { found: [], unsettled: false };
  const parents = [...new Set(boxDirs.map(dirname).flatMap(spellings))];
  // Most processes have to do with no box: one look tells.
  const boxOf = (words: string): string | undefined =>
    parents.some((parent) => words.includes(parent))
      ? boxDirs.find((boxDir) => namesDirectory(words, boxDir))
      : undefined;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const seen = look(pid, boxOf);
    const start = seen === null ? null : processStart(pid);
    if (start === null) continue;
    if (seen === 'unsettled') result.unsettled = true;
    else if (seen !== null) result.found.push({ pid, start, ...seen });
  }
  return result;
}

function look(
  pid: number,
  boxOf: (words: string) => string | undefined,
): Pick<BoxProcess, 'role' | 'boxDir'> | 'unsettled' | null {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const boxDir = boxOf(words);
    if (words !== '' && boxDir === undefined) return null;
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return null;
    const program = basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '');
    // A kernel thread has no words either, but no program: reading the link has failed then.
    if (boxDir === undefined) return 'unsettled';
    if (VM.test(program)) return { role: 'vm', boxDir };
    const isMonitor = MONITOR.test(program) && scriptOf(words)?.endsWith(MONITOR_SCRIPT) === true;
    return isMonitor ? { role: 'monitor', boxDir } : null;
  } catch {
    // It ended meanwhile.
    return null;
  }
}

/** What Node runs: the first word behind its own flags. */
function scriptOf(words: string): string | undefined {
  return words
    .split('\0')
    .slice(1)
    .find((word) => !word.startsWith('-'));
}

/** True when the text holds the directory itself or a path in it, but not a longer name that starts alike. */
function namesDirectory(text: string, directory: string): boolean {
  return spellings(directory).some((path) => namesPath(text, path));
}

/** In QEMU's arguments a comma of a path is written twice. */
function spellings(path: string): string[] {
  return path.includes(',') ? [path, path.replaceAll(',', ',,')] : [path];
}

function namesPath(text: string, directory: string): boolean {
  for (let at = text.indexOf(directory); at >= 0; at = text.indexOf(directory, at + 1)) {
    const next = text[at + directory.length];
    if (next === undefined || '/\0,: "\''.includes(next)) return true;
  }
  return false;
}

/**
 * Kills every process of these boxes and waits until they are gone. Monitors first, so that none starts another VM.
 * @returns how many were killed.
 * @throws A3sError `timeout` when one survives 5 s.
 */
export async function killBoxProcesses(...boxDirs: string[]): Promise<number> {
  if (boxDirs.length === 0) return 0;
  const began = performance.now();
  const killed = new Map<number, BoxProcess>();
  for (;;) {
    const { found, unsettled } = scan(boxDirs);
    for (const victim of found.toSorted((a, b) => Number(a.role === 'vm') - Number(b.role === 'vm'))) {
      sendKill(victim.pid);
      killed.set(victim.pid, victim);
    }
    // One that is dying has lost its arguments already: it is not found any more, but still there.
    const survivor = [...killed.values()].find(({ pid, start }) => isAlive(pid, start));
    const waited = performance.now() - began;
    if (survivor === undefined && found.length === 0 && (!unsettled || waited > UNSETTLED_MS))
      return killed.size;
    if (survivor !== undefined && waited > KILL_TIMEOUT_MS) {
      throw new A3sError('timeout', `process ${survivor.pid} of ${survivor.boxDir} survived SIGKILL for 5 s`);
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
