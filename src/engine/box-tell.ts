/** Events of boxes that no record tells of: signals and further commands. */
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
