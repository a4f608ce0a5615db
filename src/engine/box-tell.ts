/** Events of boxes that no record tells of: signals, attached clients, what was read or written of them. */
import type { ProcessSession } from '../runtime/process-session.ts';
import { boxEvent } from '../state/box-events.ts';
import { appendEvents } from '../state/journal.ts';
import type { Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';

/** Docker's words (moby, api/types/events). */
export type BoxAction =
  | 'archive-path'
  | 'attach'
  | 'commit'
  | 'detach'
  | 'export'
  | 'extract-to-dir'
  | 'kill'
  | 'resize'
  | 'restart'
  | 'top'
  | 'update';

/** Something was done to a box. @param more attributes beyond those that every event of a box has */
export function tellBox(
  layout: Layout,
  box: BoxRecord,
  action: BoxAction,
  more: Record<string, string> = {},
): void {
  appendEvents(layout, [boxEvent(box, action, more)]);
}

/** A signal is sent to the workload. */
export function tellSignal(layout: Layout, box: BoxRecord, signal: number): void {
  tellBox(layout, box, 'kill', { signal: String(signal) });
}

/** What is not in use was removed. @param reclaimed bytes */
export function tellPrune(
  layout: Layout,
  type: 'builder' | 'container' | 'image' | 'volume',
  reclaimed: number,
): void {
  appendEvents(layout, [{ type, action: 'prune', id: '', attributes: { reclaimed: String(reclaimed) } }]);
}

/** A session with the workload's own streams: each new size of its window is told, and that the caller has left it. */
export function tellAttached(layout: Layout, box: BoxRecord, session: ProcessSession): ProcessSession {
  return {
    started: session.started,
    result: session.result,
    stdin: session.stdin,
    stdout: session.stdout,
    stderr: session.stderr,
    resize: (rows, cols) => {
      tellBox(layout, box, 'resize', { height: String(rows), width: String(cols) });
      session.resize(rows, cols);
    },
    signal: (number) => session.signal(number),
    detach: () => {
      tellBox(layout, box, 'detach');
      session.detach();
    },
  };
}
