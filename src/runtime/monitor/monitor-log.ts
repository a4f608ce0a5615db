/** The monitor's own words, in monitor.log in the box's directory. */
import { appendFileSync } from 'node:fs';

const MAX_LINES = 1000;
let lines = 0;
let file: string | null = null;

/** Says where to write; words before that are lost, as is a box without a directory. */
export function openMonitorLog(path: string): void {
  file = path;
}

/** Writes one line with the time. Bounded: a guest that makes the monitor complain must not fill the disk. */
export function note(text: string): void {
  lines += 1;
  if (file === null || lines > MAX_LINES) return;
  const line = `${new Date().toISOString()} ${text.replaceAll(/[^\x20-\x7e]/g, '?')}\n`;
  try {
    appendFileSync(file, line, { mode: 0o600 });
  } catch {
    // The box was removed, or the disk is full: nobody is left to tell.
  }
}
