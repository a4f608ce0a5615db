/** `run`: a new box, started at once. */
import { A3sError } from '../errors.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import { deleteBox } from '../state/box-updates.ts';
import { killBoxProcesses } from '../state/processes.ts';
import type { BoxRecord } from '../state/record.ts';
import { trace } from '../trace.ts';
import { makeBox } from './create.ts';
import { launch } from './launch.ts';
import { keepMoreLike, wantedPoolSize } from './pool/auto.ts';
import { fitsWarmBox, takeWarmBox } from './pool/take.ts';
import { reserveBox } from './reserve.ts';
import type { AttachOptions, CreateOptions, Engine } from './types.ts';

export interface RunningBox {
  /** As it stood before the start. */
  record: BoxRecord;
  /** The workload's: `started` tells whether it runs. */
  session: ProcessSession;
  /** Never rejects; resolves when the pool that `A3S_BOX_POOL` asks for is told of this box. */
  pooled: Promise<void>;
}

/**
 * Makes a box and starts it, with one write of the state before the launch.
 * @throws what createBox throws, and `invalid_config` for an `A3S_BOX_POOL` that makes no sense.
 */
export async function runBox(
  engine: Engine,
  options: CreateOptions,
  attach: AttachOptions,
): Promise<RunningBox> {
  let reserved = engine.reserved?.run;
  try {
    let wanted = wantedPoolSize();
    const made = await makeBox(engine, options, 'starting', async (mounts, rootfs) => {
      const warm = reserved === undefined ? await takeWarmBox(engine, options, mounts, rootfs) : null;
      // The keeper makes another one in its place without being told.
      if (warm !== null || !fitsWarmBox(options, mounts)) wanted = 0;
      reserved ??= warm ?? reserveBox(engine.layout);
      return reserved.id;
    });
    if (reserved === undefined) throw new Error('a box without its monitor');
    trace('command: record written');
    const session = launch(engine, reserved.monitor, made, attach);
    const started = discardUnstarted(engine, made.record, session.started);
    // A caller may look at `result` alone.
    started.catch(() => {});
    const pooled = wanted === 0 ? Promise.resolve() : keepMoreLike(engine, options, wanted, started);
    return { record: made.record, session: { ...session, started }, pooled };
  } catch (error) {
    reserved?.monitor.destroy();
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
