/** The monitor's own words: its stderr is monitor.log in the box's directory. */
const MAX_LINES = 1000;
let lines = 0;

/** Writes one line with the time. Bounded: a guest that makes the monitor complain must not fill the disk. */
export function note(text: string): void {
  lines += 1;
  if (lines > MAX_LINES) return;
  process.stderr.write(`${new Date().toISOString()} ${text.replaceAll(/[^\x20-\x7e]/g, '?')}\n`);
}
