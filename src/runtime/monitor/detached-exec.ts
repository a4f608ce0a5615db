/** A command in the box that outlives the command line that asked for it (`exec -d`): the monitor stays to tell of its end. */
import { A3sError } from '../../errors.ts';
import { readBoxes } from '../../state/boxes-file.ts';
import type { Layout } from '../../state/layout.ts';
import type { BoxRecord } from '../../state/record.ts';
import { execInBox, type ExecSpec } from '../exec-client.ts';
import { tellExec } from '../exec-events.ts';
import type { ProcessSession } from '../process-session.ts';

/** Less than a command waits for its answer. */
const START_MS = 25_000;

/**
 * Runs the command through the box's own exec service; resolves once it runs. What it says is dropped.
 * @throws what execInBox throws, A3sError `start_failed` with the exit status, and `timeout`.
 */
export async function execDetached(layout: Layout, launched: BoxRecord, spec: ExecSpec): Promise<void> {
  // It may have another name by now.
  const record = (await readBoxes(layout)).find(({ id }) => id === launched.id) ?? launched;
  const session = tellExec(layout, record, spec, await execInBox(record, spec));
  session.stdout.resume();
  session.stderr.resume();
  await inTime(session);
}

/** A guest that never says that the command runs is left alone before the caller stops waiting. */
async function inTime(session: ProcessSession): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new A3sError('timeout', `the box did not start the command within ${START_MS} ms`));
    session.detach();
  }, START_MS);
  try {
    await Promise.race([session.started, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
