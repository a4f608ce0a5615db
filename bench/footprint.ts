/** What a state directory has of the host, to be the same before and after. */
import { readFileSync, readdirSync } from 'node:fs';

export interface Trace {
  processes: string[];
  files: string[];
  sockets: string[];
}

/** Caches, which may grow, and the journal of events, which is bounded by itself. */
const CACHES = /^(templates|locks|cache|build-cache|pool)(\/|$)|^events\.jsonl/;

export function traceOf(home: string): Trace {
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' });
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

function processesNaming(directory: string): string[] {
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
