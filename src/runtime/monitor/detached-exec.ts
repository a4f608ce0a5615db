/** A command in the box that outlives the command line that asked for it (`exec -d`): the monitor stays to tell of its end. */
import { readBoxes } from '../../state/boxes-file.ts';
import type { Layout } from '../../state/layout.ts';
import type { BoxRecord } from '../../state/record.ts';
import { execInBox, type ExecSpec } from '../exec-client.ts';
import { tellExec } from '../exec-events.ts';

/**
 * Runs the command through the box's own exec service; resolves once it runs. What it says is dropped.
 * @throws what execInBox throws, and A3sError `start_failed` with the exit status.
 */
export async function execDetached(layout: Layout, launched: BoxRecord, spec: ExecSpec): Promise<void> {
  // It may have another name by now.
  const record = (await readBoxes(layout)).find(({ id }) => id === launched.id) ?? launched;
  const session = tellExec(layout, record, spec, await execInBox(record, spec));
  session.stdout.resume();
  session.stderr.resume();
  await session.started;
}
