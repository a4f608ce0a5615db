/** Docker's one word for each status of a box. */
import type { BoxRecord, BoxStatus } from '../state/record.ts';

const WORDS: Readonly<Record<Exclude<BoxStatus, 'starting'>, string>> = {
  created: 'created',
  running: 'running',
  paused: 'paused',
  restarting: 'restarting',
  stopped: 'exited',
  dead: 'dead',
};

/** What the box is for whoever looks: one that is about to run is what it was before, created or stopped. */
export function shownStatus({ status, started_at }: BoxRecord): Exclude<BoxStatus, 'starting'> {
  if (status !== 'starting') return status;
  return started_at === null ? 'created' : 'stopped';
}

/** `running`, `exited`, … */
export function dockerState(box: BoxRecord): string {
  return WORDS[shownStatus(box)];
}
