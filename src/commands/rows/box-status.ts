/** Docker's words for the state of a box. */
import { dockerState, shownStatus } from '../../engine/docker-state.ts';
import { humanDuration, timeAgo } from '../../output/human-duration.ts';
import type { BoxRecord } from './records.ts';

/** One word: `running`, `exited`, … */
export { dockerState as stateOf };

/** The STATUS column: `Up 3 minutes`, `Exited (0) 2 hours ago`, … */
export function statusOf(box: BoxRecord, now: Date): string {
  switch (shownStatus(box)) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${since(box.started_at, now)}${healthOf(box)}`;
    case 'paused':
      return `Up ${since(box.started_at, now)} (Paused)`;
    case 'restarting':
      return `Restarting (${box.exit_code ?? 0}) ${since(box.finished_at, now)} ago`;
    case 'stopped':
      return exited(box, now);
    default:
      return 'Dead';
  }
}

function since(time: string | null, now: Date): string {
  return humanDuration(time === null ? 0 : now.getTime() - Date.parse(time));
}

function exited(box: BoxRecord, now: Date): string {
  const code = `Exited (${box.exit_code ?? 0})`;
  return box.finished_at === null ? code : `${code} ${timeAgo(new Date(box.finished_at), now)}`;
}

function healthOf({ health }: BoxRecord): string {
  if (health === null) return '';
  return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}
