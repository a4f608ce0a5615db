/** `volume prune`: volumes that no box mounts. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { updateBoxes } from '../../state/boxes-file.ts';
import { volumePaths } from '../../state/layout.ts';
import { ANONYMOUS_LABEL, type VolumeRecord } from '../../state/volume-record.ts';
import { dropVolume, emptyTrash, readVolume, usersOf, volumeNames } from '../../state/volumes.ts';
import { tellPrune } from '../box-tell.ts';
import { allBoxes } from '../engine.ts';
import type { Engine } from '../types.ts';

export interface PruneOptions {
  /** Named volumes, too. */
  all: boolean;
  /** Keeps a volume out of it. */
  matches: (labels: Readonly<Record<string, string>>) => boolean;
}

export interface Pruned {
  names: string[];
  /** Bytes that their files had; a file with several names counts once. */
  reclaimed: number;
}

/** Removes the volumes that no box mounts. Errors as in listVolumes. */
export async function pruneVolumes(engine: Engine, { all, matches }: PruneOptions): Promise<Pruned> {
  const { layout } = engine;
  const boxes = await allBoxes(engine);
  const meant = (record: VolumeRecord | null): boolean =>
    record !== null && (all || Object.hasOwn(record.labels, ANONYMOUS_LABEL)) && matches(record.labels);
  const pruned: Pruned = { names: [], reclaimed: 0 };
  const candidates = volumeNames(layout).filter(
    (name) => usersOf(boxes, name).length === 0 && meant(readVolume(layout, name)),
  );
  for (const name of candidates) {
    // Outside the lock: it may be a large tree.
    const size = await treeSize(volumePaths(layout, name).data);
    const dropped = await updateBoxes(
      layout,
      (fresh) => {
        if (usersOf(fresh, name).length > 0 || !meant(readVolume(layout, name))) return false;
        dropVolume(layout, name);
        return true;
      },
      engine.notify,
    );
    if (!dropped) continue;
    pruned.names.push(name);
    pruned.reclaimed += size;
  }
  emptyTrash(layout);
  tellPrune(layout, 'volume', pruned.reclaimed);
  return pruned;
}

/** Bytes in the regular files of a tree; what goes away meanwhile, or may not be read, counts nothing. */
export async function treeSize(directory: string, seen = new Set<number>()): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  let total = 0;
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) total += await treeSize(path, seen);
    if (!entry.isFile()) continue;
    const stat = await lstat(path).catch(() => null);
    if (stat === null || (stat.nlink > 1 && seen.has(stat.ino))) continue;
    seen.add(stat.ino);
    total += stat.size;
  }
  return total;
}
