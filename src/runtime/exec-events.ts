/** Events of further commands in a box, told by whoever holds the command's session: the CLI, or the monitor for `exec -d`. */
import { randomBytes } from '../random.ts';
import { boxEvent } from '../state/box-events.ts';
import { appendEvents } from '../state/journal.ts';
import type { Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import type { ExecSpec } from './exec-client.ts';
import type { ProcessSession } from './process-session.ts';

/** A command was asked for; its start, its end and the caller's leaving follow as the session reports them. */
export function tellExec(
  layout: Layout,
  box: BoxRecord,
  spec: ExecSpec,
  session: ProcessSession,
): ProcessSession {
  const execID = randomBytes(32).toString('hex');
  const command = spec.cmd.join(' ');
  const tell = (action: string, more: Record<string, string> = {}): void =>
    appendEvents(layout, [boxEvent(box, action, { execID, ...more })]);
  tell(`exec_create: ${command}`);
  const started = session.started.then(() => tell(`exec_start: ${command}`));
  const result = session.result.then((end) => {
    tell('exec_die', { exitCode: String(end.exitCode) });
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
    detach: () => {
      tell('exec_detach');
      session.detach();
    },
  };
}
