/** `start`: a box that exists runs (again). */
import { mkdirSync } from 'node:fs';

import { A3sError } from '../errors.ts';
import { ensureRootfs } from '../images/rootfs.ts';
import { type SpawnedMonitor, spawnMonitor } from '../runtime/spawn-monitor.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import { updateBoxes } from '../state/boxes-file.ts';
import { type BoxRecord, IDLE_STATUSES } from '../state/record.ts';
import { joinBox } from './attach.ts';
import { claim } from './create.ts';
import { isUp } from './engine.ts';
import { findSettledBox } from './settle.ts';
import { requireImage } from './images.ts';
import { launch } from './launch.ts';
import type { AttachOptions, Engine } from './types.ts';

/**
 * Starts a box; one that runs already is joined when `attach.output` asks for it and left alone otherwise.
 * @returns the record as it stood before the start; the session is null for a box that was left alone.
 * @throws A3sError `no_such_box`, `ambiguous_box`, `box_paused`, `no_such_image`, `image_broken`.
 */
export async function startBox(
  engine: Engine,
  query: string,
  attach: AttachOptions & { output: true },
): Promise<{ record: BoxRecord; session: ProcessSession }>;
export async function startBox(
  engine: Engine,
  query: string,
  attach: AttachOptions,
): Promise<{ record: BoxRecord; session: ProcessSession | null }>;
export async function startBox(
  engine: Engine,
  query: string,
  attach: AttachOptions,
): Promise<{ record: BoxRecord; session: ProcessSession | null }> {
  for (;;) {
    const found = await findSettledBox(engine, query);
    if (found.status === 'paused') throw paused();
    if (isUp(found)) {
      // Somebody has started it since this command began.
      takeReserved(engine, found.short_id)?.connection.destroy();
      return { record: found, session: attach.output ? await joinBox(engine, found, attach) : null };
    }
    const started = await startIdle(engine, found, attach);
    // Null: another command was quicker; look again.
    if (started !== null) return started;
  }
}

/**
 * Starts a box that does not run; null when it is not idle any more. Its monitor is on its way before anything is looked up, and ends by
 * itself where it gets no box.
 * @throws A3sError `no_such_image`, `image_broken`.
 */
export async function startIdle(
  engine: Engine,
  { id, image_id, short_id, box_dir }: BoxRecord,
  attach: AttachOptions,
): Promise<{ record: BoxRecord; session: ProcessSession } | null> {
  let monitor = takeReserved(engine, short_id) ?? spawnMonitor(box_dir);
  try {
    const image = await requireImage(engine, image_id);
    const rootfs = await ensureRootfs(engine.layout, image, engine.bundleDir);
    const record = await claimIdle(engine, id);
    if (record === null) {
      monitor.connection.destroy();
      return null;
    }
    // Another start of the box has failed meanwhile, and ended whatever worked for it. From the claim on the box is ours.
    if (!monitor.isAlive()) monitor = spawnMonitor(record.box_dir);
    mkdirSync(record.box_dir, { recursive: true, mode: 0o700 });
    return { record, session: launch(engine, monitor.connection, { record, rootfs }, attach) };
  } catch (error) {
    monitor.connection.destroy();
    throw error;
  }
}

/** The monitor that is on its way for this box. One for another box is left alone. */
function takeReserved({ reserved }: Engine, shortId: string): SpawnedMonitor | undefined {
  const start = reserved?.start;
  if (reserved === undefined || start?.shortId !== shortId) return undefined;
  delete reserved.start;
  return start.monitor;
}

/** Claims the box under the lock; null when it is not idle any more. */
export function claimIdle(engine: Engine, id: string): Promise<BoxRecord | null> {
  return updateBoxes(
    engine.layout,
    (boxes) => {
      const record = boxes.find((box) => box.id === id);
      if (record === undefined || !IDLE_STATUSES.includes(record.status)) return null;
      claim(record);
      return record;
    },
    engine.notify,
  );
}

function paused(): A3sError {
  return new A3sError('box_paused', 'cannot start a paused container, try unpause instead');
}
