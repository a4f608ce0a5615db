/** The build cache for whoever looks at it: what is in it, and how to make it smaller. */
import { parseRecordFilter } from '../build/cache/record-filter.ts';
import { type CachePruneOptions, pruneBuildCache } from '../build/cache/prune.ts';
import { type CacheRecord, cacheRecords } from '../build/cache/records.ts';
import { tellPrune } from './box-tell.ts';
import type { Engine } from './types.ts';

export type { CacheRecord } from '../build/cache/records.ts';

export interface CachePruneRequest extends Omit<CachePruneOptions, 'matches' | 'unusedMs'> {
  /** As given: `until=24h`, `type=exec.cachemount`. */
  filters: readonly string[];
}

/** What a prune without bounds removes. */
export const NO_BOUNDS = { reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 } as const;

/**
 * The records that the filters let through, the one that was used longest ago first.
 * @throws A3sError `usage` in buildx's words for a filter that is none.
 */
export async function listBuildCache(engine: Engine, filters: readonly string[]): Promise<CacheRecord[]> {
  const { matches, unusedMs } = parseRecordFilter(filters);
  const records = await cacheRecords(engine.layout);
  return records.filter((record) => matches(record) && record.lastUsedAt <= Date.now() - unusedMs);
}

/** Says what is wrong with filters before a user is asked. @throws A3sError `usage`. */
export function checkCacheFilters(filters: readonly string[]): void {
  parseRecordFilter(filters);
}

/**
 * Removes records; what a running build uses stays.
 * @returns those that were removed.
 * @throws A3sError as listBuildCache.
 */
export async function pruneBuilds(
  engine: Engine,
  { filters, ...options }: CachePruneRequest,
): Promise<CacheRecord[]> {
  const removed = await pruneBuildCache(engine.layout, { ...options, ...parseRecordFilter(filters) });
  tellPrune(
    engine.layout,
    'builder',
    removed.reduce((bytes, { size }) => bytes + size, 0),
  );
  return removed;
}
