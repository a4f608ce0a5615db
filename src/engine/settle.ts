/** Waiting for a box that another command has in hand. */
import { A3sError } from '../errors.ts';
import { isDiskFull, updateBox } from '../state/box-updates.ts';
import type { BoxRecord } from '../state/record.ts';
import { findBox, isUp } from './engine.ts';
import type { Engine } from './types.ts';

const POLL_MS = 20;
/** Longer than the boot of a template on a slow host. */
const START_TIMEOUT_MS = 120_000;
/** How long a monitor that no longer listens may take to write the box's last state. */
const END_TIMEOUT_MS = 15_000;

/**
 * The box that `query` means, once no command is about to start it.
 * @throws A3sError `timeout` when that takes too long, and what resolveBox throws.
 */
export async function findSettledBox(engine: Engine, query: string): Promise<BoxRecord> {
  return poll(
    () => findBox(engine, query),
    (box) => box.status !== 'starting',
    START_TIMEOUT_MS,
  );
}

/**
 * Notes that a user ends the box, before anybody is asked to end it: should its monitor be lost on the way, no policy starts the box
 * again. On a full disk the box is ended without the note.
 */
export async function noteUserEnd({ layout }: Engine, { id }: BoxRecord): Promise<void> {
  try {
    await updateBox(layout, id, (box) => {
      if (isUp(box)) box.stopped_by_user = true;
    });
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/**
 * Asks a box's monitor for its end. A monitor that does not listen, or hangs up before it has answered, is ending already as
 * a rule: what the record says next is what counts.
 * @throws A3sError `timeout` when the box is still there.
 */
export async function endingBox(engine: Engine, record: BoxRecord, ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!isHungUp(error)) throw error;
    await waitForEnd(engine, record);
  }
}

/** True when a box's monitor does not listen, or went before it had answered. */
export function isHungUp(error: unknown): boolean {
  return error instanceof A3sError && (error.code === 'box_not_running' || error.code === 'io');
}

/**
 * Does something that only a running box can do. One that hangs up meanwhile is ending as a rule, and is told as such once its
 * record says so too: whoever looks next must not find it running. What breaks the connection of a box that goes on is thrown.
 * @param refused the error for a box that has ended or been paused; it gets what `act` threw
 */
export async function whileRunning<T>(
  engine: Engine,
  record: BoxRecord,
  act: () => Promise<T>,
  refused: (cause: A3sError, status: 'ended' | 'paused') => A3sError,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof A3sError) || !isHungUp(error)) throw error;
    const paused = (now: BoxRecord): boolean => now.status === 'paused' && record.status !== 'paused';
    let box: BoxRecord | null;
    try {
      box = await waitForEnd(engine, record, paused);
    } catch {
      throw error.code === 'io' ? error : refused(error, 'ended');
    }
    throw refused(error, box?.status === 'paused' ? 'paused' : 'ended');
  }
}

/**
 * Resolves once this run of the box is over, or the box is as `enough` says.
 * @returns the box as it is then; null for one that is gone.
 * @throws A3sError `timeout`.
 */
export async function waitForEnd(
  engine: Engine,
  record: BoxRecord,
  enough: (box: BoxRecord) => boolean = () => false,
): Promise<BoxRecord | null> {
  try {
    return await poll(
      () => findBox(engine, record.id),
      (box) => !isUp(box) || isAnotherRun(record, box) || enough(box),
      END_TIMEOUT_MS,
    );
  } catch (error) {
    // Removed by `--rm`: ended, too.
    if (error instanceof A3sError && error.code === 'no_such_box') return null;
    throw error;
  }
}

/**
 * Somebody may have started the box again between two looks. A run that a policy begins though a user has ended the box is about to
 * end, too; one that waited for its restart had no run to end.
 */
function isAnotherRun(before: BoxRecord, { status, started_at, stopped_by_user }: BoxRecord): boolean {
  if (before.status === 'restarting' || stopped_by_user) return false;
  return status === 'restarting' || started_at !== before.started_at;
}

async function poll(
  look: () => Promise<BoxRecord>,
  settled: (box: BoxRecord) => boolean,
  timeoutMs: number,
): Promise<BoxRecord> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const box = await look();
    if (settled(box)) return box;
    if (performance.now() > deadline) {
      throw new A3sError(
        'timeout',
        `container ${box.name} is still ${box.status} after ${timeoutMs / 1000} s`,
        {
          hint: `remove it with: a3s-box rm -f ${box.name}`,
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
