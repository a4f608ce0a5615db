/** Taking entries out of the build cache (BuildKit, cache/manager.go: prune). */
import { rmSync, statfsSync } from 'node:fs';

import { storeLock } from '../../images/image.ts';
import { cachedSteps, stepFile } from '../../images/store/cached.ts';
import { collectGarbage } from '../../images/store/collect.ts';
import { leasedDigests } from '../../images/store/leases.ts';
import { readIndex } from '../../images/store.ts';
import { buildCachePaths, type Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { dropImageSteps } from './image-steps.ts';
import { trimMemos } from './memos.ts';
import { claims, dropMount, dropUnknown, readMount, sweepMounts } from './mount-files.ts';
import { sweepUnfinished } from './step-file.ts';
import { byLastUse, type CacheRecord, imageContents, mountRecords, stepRecords } from './records.ts';

export interface CachePruneOptions {
  /** Records that images share as well. */
  all: boolean;
  matches: (record: CacheRecord) => boolean;
  /** Only what was unused for so long. */
  unusedMs: number;
  /** Never below so many bytes; 0 for no bound, as the others. */
  reservedBytes: number;
  /** As much as has to go, to have no more than this. */
  maxUsedBytes: number;
  /** As much as has to go, to have so much of the disk free. */
  minFreeBytes: number;
}

export const PRUNE_EVERYTHING: CachePruneOptions = {
  all: true,
  matches: () => true,
  unusedMs: 0,
  reservedBytes: 0,
  maxUsedBytes: 0,
  minFreeBytes: 0,
};

const LOCK_TIMEOUT_MS = 600_000;

/**
 * Removes records, and then what nothing in the store leads to any more. What a running build uses stays.
 * @returns the records that were removed.
 */
export async function pruneBuildCache(layout: Layout, options: CachePruneOptions): Promise<CacheRecord[]> {
  const { steps, memos, images: ofImages, mounts, mountsLock } = buildCachePaths(layout);
  // Outside the locks: they may be large trees.
  const mountsThere = await mountRecords(layout);
  const doomed = await withLock(
    storeLock(layout),
    () => {
      const index = readIndex(layout.imagesDir);
      const images = imageContents(layout, index);
      const stepsThere = cachedSteps(layout);
      const records = [...stepRecords(layout, leasedDigests(layout), images), ...mountsThere];
      const chosenOnes = chosen(records.toSorted(byLastUse), options, freeBytes(layout));
      for (const { mutable, name } of chosenOnes) {
        if (!mutable) rmSync(stepFile(layout, name), { force: true });
      }
      dropUnsound(layout, stepsThere, records);
      dropImageSteps(layout, images.ids);
      collectGarbage(layout, index);
      return chosenOnes;
    },
    { timeoutMs: LOCK_TIMEOUT_MS },
  );
  const removed = await withLock(
    mountsLock,
    () => {
      dropUnknown(mounts);
      return doomed.filter((record) => !record.mutable || drop(mounts, record.name));
    },
    { timeoutMs: LOCK_TIMEOUT_MS },
  );
  sweepMounts(mounts);
  for (const directory of [steps, memos, ofImages, mounts]) sweepUnfinished(directory);
  trimMemos(layout, options.all && !isBounded(options) && options.unusedMs === 0);
  return removed;
}

/** Removes the files of steps that are no records: not sound, or without their layer. Those that came meanwhile are none of them. */
function dropUnsound(layout: Layout, steps: readonly string[], records: readonly CacheRecord[]): void {
  const sound = new Set(records.map(({ name }) => name));
  for (const name of steps) {
    if (!sound.has(name)) rmSync(stepFile(layout, name), { force: true });
  }
}

/** False when it is in use, or has gone. */
function drop(mounts: string, name: string): boolean {
  if (readMount(mounts, name) === null || claims(mounts, name).length > 0) return false;
  dropMount(mounts, name);
  return true;
}

/** Which of the records go. Pure. @param records the one that was used longest ago first. @param free bytes on the disk */
export function chosen(
  records: readonly CacheRecord[],
  options: CachePruneOptions,
  free: number,
  now = Date.now(),
): CacheRecord[] {
  const candidates = records.filter(
    (record) =>
      !record.inUse &&
      (options.all || !record.shared) &&
      (options.unusedMs === 0 || record.lastUsedAt <= now - options.unusedMs) &&
      options.matches(record),
  );
  if (!isBounded(options)) return candidates;
  let total = sum(records.filter(({ shared }) => !shared));
  const kept = keptBytes(total, free, options);
  const doomed: CacheRecord[] = [];
  for (const record of candidates) {
    if (total <= kept) break;
    doomed.push(record);
    total -= record.size;
  }
  return doomed;
}

function isBounded({ reservedBytes, maxUsedBytes, minFreeBytes }: CachePruneOptions): boolean {
  return reservedBytes !== 0 || maxUsedBytes !== 0 || minFreeBytes !== 0;
}

/** Down to what the cache has to go (BuildKit, calculateKeepBytes). */
function keptBytes(
  total: number,
  free: number,
  { reservedBytes, maxUsedBytes, minFreeBytes }: CachePruneOptions,
): number {
  const excess = minFreeBytes - free;
  let kept = maxUsedBytes;
  if (excess > 0) kept = kept === 0 ? total - excess : Math.min(kept, total - excess);
  else if (minFreeBytes !== 0 && kept === 0) kept = total;
  return Math.max(kept, reservedBytes);
}

function sum(records: readonly CacheRecord[]): number {
  return records.reduce((bytes, { size }) => bytes + size, 0);
}

function freeBytes({ home }: Layout): number {
  const { bavail, bsize } = statfsSync(home);
  return bavail * bsize;
}
