/** Changes of one box's record. */
import { rmSync } from 'node:fs';

import { A3sError, hasErrno } from '../errors.ts';
import { type Notify, updateBoxes } from './boxes-file.ts';
import { boxDirectory, type Layout } from './layout.ts';
import type { BoxRecord } from './record.ts';
import { dropAnonymous, emptyTrash } from './volumes.ts';

/**
 * Changes the record of the box with this ID, under the lock.
 * @returns the changed record, or null when there is no such box (any more).
 */
export async function updateBox(
  layout: Layout,
  id: string,
  change: (record: BoxRecord) => void,
): Promise<BoxRecord | null> {
  return updateBoxes(layout, (boxes) => {
    const record = boxes.find((box) => box.id === id);
    if (record === undefined) return null;
    change(record);
    return record;
  });
}

/** Removes a box that no process works for, with its anonymous volumes. One that is gone already is no error. */
export function deleteBox(layout: Layout, id: string): Promise<void> {
  const take = (boxes: BoxRecord[]): BoxRecord | undefined => {
    const index = boxes.findIndex((box) => box.id === id);
    return index < 0 ? undefined : boxes.splice(index, 1)[0];
  };
  return takeBox(layout, take, { volumes: true });
}

/**
 * Removes the box whose record `take` takes out of the list, once its processes are dead. The record goes first, so that a
 * crash in between leaves what reconcile cleans up; on a full disk the directory does, because it is what frees the space
 * for the write. `take` is called again then.
 * @param options.volumes whether the box's anonymous volumes go with it; those of a box with `--rm` always do
 */
export async function takeBox(
  layout: Layout,
  take: (boxes: BoxRecord[]) => BoxRecord | undefined | Promise<BoxRecord | undefined>,
  { volumes, notify }: { volumes: boolean; notify?: Notify },
): Promise<void> {
  let dropped = false;
  const attempt = (makeRoom: boolean): Promise<BoxRecord | undefined> =>
    updateBoxes(
      layout,
      async (boxes) => {
        const taken = await take(boxes);
        if (taken === undefined) return undefined;
        if (makeRoom) removeBoxDirectory(layout, taken.short_id);
        if (volumes || taken.auto_remove) dropped = dropAnonymous(layout, taken, boxes) || dropped;
        return taken;
      },
      notify,
    );
  const taken = await attempt(false).catch((error: unknown) => {
    if (!isDiskFull(error)) throw error;
    return attempt(true);
  });
  if (taken !== undefined) removeBoxDirectory(layout, taken.short_id);
  if (dropped) emptyTrash(layout);
}

/** True when the state could not be written for want of space. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof A3sError && hasErrno(error.cause, 'ENOSPC', 'EDQUOT');
}

/** Removes the directory of a box; its path is made anew, because a path from disk is no reason to delete anything. */
export function removeBoxDirectory(layout: Layout, shortId: string): void {
  rmSync(boxDirectory(layout, shortId), { recursive: true, force: true, maxRetries: 3 });
}
