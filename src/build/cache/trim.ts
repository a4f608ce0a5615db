/** What the cache may take of the disk without anybody asking: BuildKit's default policy (buildkitd, config/gcpolicy.go). */
import { mkdirSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { buildCachePaths, type Layout } from '../../state/layout.ts';
import { type CachePruneOptions, PRUNE_EVERYTHING, pruneBuildCache } from './prune.ts';

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;
const GB = 1e9;
/** Mounts of many files take long to measure: no build does it soon after another. */
const PAUSE_MS = HOUR_MS;

/** Removes what the policy says, unless that was done a short time ago. Call it when a build has ended. */
export async function trimBuildCache(layout: Layout): Promise<void> {
  const { trimmed } = buildCachePaths(layout);
  const last = statSync(trimmed, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Math.abs(Date.now() - last) < PAUSE_MS) return;
  mkdirSync(dirname(trimmed), { recursive: true, mode: 0o700 });
  writeFileSync(trimmed, '', { mode: 0o600 });
  const { blocks, bsize } = statfsSync(layout.home);
  for (const options of trimPolicy(blocks * bsize)) await pruneBuildCache(layout, options);
}

/** Each of them applies to what the ones before have left. Pure. @param disk bytes of the whole disk */
export function trimPolicy(disk: number): CachePruneOptions[] {
  const bounds = {
    reservedBytes: Math.min(share(disk, 10), 10 * GB),
    maxUsedBytes: Math.min(share(disk, 80), 100 * GB),
    minFreeBytes: share(disk, 20),
  };
  const none = { ...PRUNE_EVERYTHING, all: false };
  return [
    // What is made again most easily.
    {
      ...none,
      matches: ({ type }) => type === 'exec.cachemount',
      unusedMs: 2 * DAY_MS,
      maxUsedBytes: 512e6,
    },
    { ...none, ...bounds, unusedMs: 60 * DAY_MS },
    { ...none, ...bounds },
    { ...none, ...bounds, all: true },
  ];
}

function share(disk: number, percent: number): number {
  return (Math.floor((disk * percent) / 100 / 2 ** 30) + 1) * GB;
}
