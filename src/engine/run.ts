/** `run`: a new box, started at once. */
import { A3sError } from '../errors.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import { deleteBox } from '../state/box-updates.ts';
import { killBoxProcesses } from '../state/processes.ts';
import type { BoxRecord } from '../state/record.ts';
import { makeBox } from './create.ts';
import { launch } from './launch.ts';
import { reserveBox } from './reserve.ts';
import type { AttachOptions, CreateOptions, Engine } from './types.ts';

/**
 * Makes a box and starts it, with one write of the state before the launch.
 * @returns the record as it stood before the start, and the workload's session: `started` tells whether it runs.
 * @throws what createBox throws.
 */
export async function runBox(
  engine: Engine,
  options: CreateOptions,
  attach: AttachOptions,
): Promise<{ record: BoxRecord; session: ProcessSession }> {
  const { id, monitor } = engine.reserved ?? reserveBox(engine.layout);
  try {
    const made = await makeBox(engine, options, 'starting', id);
    const session = launch(engine, monitor, made, attach);
    const started = discardUnstarted(engine, made.record, session.started);
    // A caller may look at `result` alone.
    started.catch(() => {});
    return { record: made.record, session: { ...session, started } };
  } catch (error) {
    monitor.destroy();
    throw error;
  }
}

/**
 * A box that never came up is not kept: the caller asked for a run and got none. One whose command could not be
 * executed stays, created, as with Docker.
 */
async function discardUnstarted(engine: Engine, record: BoxRecord, started: Promise<void>): Promise<void> {
  try {
    await started;
  } catch (error) {
    if (isDiscarded(error)) {
      // A monitor that hung up may still have a VM, and a VM the files that are removed here.
      await killBoxProcesses(record.box_dir);
      await deleteBox(engine.layout, record.id);
    }
    throw error;
  }
}

/** True when a run that failed to start so has left no box. */
export function isDiscarded(error: unknown): boolean {
  return !(error instanceof A3sError) || error.code !== 'start_failed';
}
