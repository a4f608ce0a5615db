/** What a state directory has of the host, to be the same before and after. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Trace {
  processes: string[];
  /** Files alone: an empty directory that is there for later is nobody's leftover. */
  files: string[];
  sockets: string[];
}

/** Caches, which may grow, but not their unfinished parts; and the journal of events, which is bounded by itself. */
const CACHES = /^(templates\/[^.]|locks\/|cache\/|build-cache\/)|^events\.jsonl/;
/** Monitors that have answered end within this time. */
const LAST_STEPS_MS = 15_000;
const POLL_MS = 100;

export function traceOf(home: string): Trace {
  const files = filesIn(home).map((path) => relative(home, path));
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return {
    processes: processesNaming(home),
    files: files.filter((path) => !CACHES.test(path)).toSorted(),
    sockets: sockets
      .map((line) => line.slice(line.indexOf('/')))
      .filter((path) => path.startsWith(`${home}/`)),
  };
}

/** What `after` has that `before` had not, one line each. */
export function leftovers(before: Trace, after: Trace): string[] {
  return (['processes', 'files', 'sockets'] as const).flatMap((kind) =>
    after[kind].filter((each) => !before[kind].includes(each)).map((each) => `${kind}: ${each}`),
  );
}

/** What is left in the state directory once the last monitors have taken their last steps. */
export async function settledLeftovers(
  home: string,
  before: Trace,
  patienceMs = LAST_STEPS_MS,
): Promise<string[]> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const left = leftovers(before, traceOf(home));
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function filesIn(directory: string): string[] {
  let entries;
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    // It was removed meanwhile.
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

/** `PID WORDS` of each process whose words name the directory. */
export function processesNaming(directory: string): string[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return words.includes(directory) ? [`${entry} ${words}`] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}
