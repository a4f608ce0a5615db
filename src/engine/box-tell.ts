/** Events of boxes that no record tells of: signals, further commands and reads of what is in a box. */
import { randomBytes } from '../random.ts';
import type { ExecSpec } from '../runtime/exec-client.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import { boxEvent } from '../state/box-events.ts';
import { appendEvents } from '../state/journal.ts';
import type { Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';

/** A signal is sent to the workload. */
export function tellSignal(layout: Layout, box: BoxRecord, signal: number): void {
  appendEvents(layout, [boxEvent(box, 'kill', { signal: String(signal) })]);
}

/** The box was asked for something of its own, in Docker's word for it. */
export function tellUse(
  layout: Layout,
  box: BoxRecord,
  action: 'archive-path' | 'export' | 'extract-to-dir' | 'top',
): void {
  appendEvents(layout, [boxEvent(box, action)]);
}

/** A command was asked for; its start and its end follow as the session reports them. */
export function tellExec(
  layout: Layout,
  box: BoxRecord,
  spec: ExecSpec,
  session: ProcessSession,
): ProcessSession {
  const execID = randomBytes(32).toString('hex');
  const command = spec.cmd.join(' ');
  appendEvents(layout, [boxEvent(box, `exec_create: ${command}`, { execID })]);
  const started = session.started.then(() =>
    appendEvents(layout, [boxEvent(box, `exec_start: ${command}`, { execID })]),
  );
  const result = session.result.then((end) => {
    appendEvents(layout, [boxEvent(box, 'exec_die', { execID, exitCode: String(end.exitCode) })]);
    return end;
  });
  // A caller may await only one of the two.
  started.catch(() => {});
  result.catch(() => {});
  return {
    started,
    result,
    stdin: session.stdin,
    stdout: session.stdout,
    stderr: session.stderr,
    resize: (rows, cols) => session.resize(rows, cols),
    signal: (number) => session.signal(number),
    detach: () => session.detach(),
  };
}
