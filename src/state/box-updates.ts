/** Changes of one box's record. */
import { rmSync } from 'node:fs';

import { updateBoxes } from './boxes-file.ts';
import { boxDirectory, type Layout } from './layout.ts';
import type { BoxRecord } from './record.ts';

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

/** Removes a box: its record first, then its directory, so that a crash in between leaves what reconcile cleans up. */
export async function deleteBox(layout: Layout, id: string): Promise<void> {
  const removed = await updateBoxes(layout, (boxes) => {
    const index = boxes.findIndex((box) => box.id === id);
    return index < 0 ? undefined : boxes.splice(index, 1)[0];
  });
  if (removed !== undefined) removeBoxDirectory(layout, removed.short_id);
}

/** Removes the directory of a box; its path is made anew, because a path from disk is no reason to delete anything. */
export function removeBoxDirectory(layout: Layout, shortId: string): void {
  rmSync(boxDirectory(layout, shortId), { recursive: true, force: true, maxRetries: 3 });
}
