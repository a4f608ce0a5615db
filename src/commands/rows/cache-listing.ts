/** Records of the build cache, as `builder du`, `builder prune` and `system df` show them. */
import type { CacheRecord } from '../../engine/build-cache.ts';
import { timeAgo } from '../../output/human-duration.ts';
import { humanSize } from '../../output/human-size.ts';
import type { Listing } from '../../output/listing.ts';

/** `builder du` (docker/buildx, commands/diskusage.go). @param table marks what is shared or changes with a star. */
export function cacheListing(now: Date, table: boolean): Listing<CacheRecord> {
  const star = (isMarked: boolean): string => (table && isMarked ? '*' : '');
  return {
    fields: {
      ID: { heading: 'ID', value: ({ id, mutable }) => `${id}${star(mutable)}` },
      Parents: { heading: 'PARENTS', value: ({ parents }) => parents },
      CreatedAt: { heading: 'CREATED AT', value: ({ createdAt }) => goTimeText(createdAt) },
      Mutable: { heading: 'MUTABLE', value: ({ mutable }) => mutable },
      Reclaimable: { heading: 'RECLAIMABLE', value: ({ inUse }) => !inUse },
      Shared: { heading: 'SHARED', value: ({ shared }) => shared },
      Size: { heading: 'SIZE', value: ({ size, shared }) => `${humanSize(size, 4)}${star(shared)}` },
      Description: { heading: 'DESCRIPTION', value: ({ description }) => description },
      UsageCount: { heading: 'USAGE COUNT', value: ({ usageCount }) => usageCount },
      LastUsedAt: {
        heading: 'LAST ACCESSED',
        value: ({ lastUsedAt }) => timeAgo(new Date(lastUsedAt), now),
      },
      Type: { heading: 'TYPE', value: ({ type }) => type },
    },
    table: ['ID', 'Reclaimable', 'Size', 'LastUsedAt'],
    id: 'ID',
    typeName: 'diskusageContext',
  };
}

/** `system df -v` (docker/cli, formatter/buildcache.go). */
export function cacheUsageListing(now: Date): Listing<CacheRecord> {
  const since = (time: number): string => timeAgo(new Date(time), now);
  return {
    fields: {
      ID: { heading: 'CACHE ID', value: ({ id, inUse }) => `${id.slice(0, 12)}${inUse ? '*' : ''}` },
      CacheType: { heading: 'CACHE TYPE', value: ({ type }) => type },
      Size: { heading: 'SIZE', value: ({ size }) => humanSize(size) },
      CreatedSince: { heading: 'CREATED', value: ({ createdAt }) => since(createdAt) },
      LastUsedSince: { heading: 'LAST USED', value: ({ lastUsedAt }) => since(lastUsedAt) },
      UsageCount: { heading: 'USAGE', value: ({ usageCount }) => String(usageCount) },
      Shared: { heading: 'SHARED', value: ({ shared }) => String(shared) },
    },
    table: ['ID', 'CacheType', 'Size', 'CreatedSince', 'LastUsedSince', 'UsageCount', 'Shared'],
    id: 'ID',
    typeName: 'buildCacheContext',
  };
}

/** What buildx prints below its lists. */
export function cacheSummary(records: readonly CacheRecord[]): string {
  const bytes = (of: (record: CacheRecord) => boolean): number =>
    records.filter(of).reduce((sum, { size }) => sum + size, 0);
  const total = bytes(() => true);
  const shared = bytes((record) => record.shared);
  const lines: [string, number][] = [
    ['Reclaimable', bytes(({ inUse }) => !inUse)],
    ['Total', total],
  ];
  if (shared > 0) lines.unshift(['Shared', shared], ['Private', total - shared]);
  return tabbed(lines.map(([key, size]) => [`${key}:`, humanSize(size, 4)]));
}

/** What `builder prune` tells of what it removed: as buildx, whose writer aligns the first two lines alone. */
export function prunedTable(records: readonly CacheRecord[], now: Date): string {
  const rows = records.map(({ id, mutable, inUse, size, shared, lastUsedAt }) => [
    `${id}${mutable ? '*' : ''}`.padEnd(40),
    String(!inUse).padEnd(5),
    `${humanSize(size, 4)}${shared ? '*' : ''}`.padEnd(10),
    timeAgo(new Date(lastUsedAt), now),
  ]);
  const [first, ...others] = rows;
  if (first === undefined) return '';
  const head = tabbed([['ID', 'RECLAIMABLE', 'SIZE', 'LAST ACCESSED'], first]);
  return head + others.map((row) => tabbed([row])).join('');
}

/** Everything about each of them, a block each. */
export function verboseRecords(records: readonly CacheRecord[], now: Date): string {
  return records
    .map((record) => {
      const lines: string[][] = [
        ['ID:', record.id],
        ...(record.parents.length > 0 ? [['Parent:', record.parents.join(',')]] : []),
        ['Created at:', goTimeText(record.createdAt)],
        ['Mutable:', String(record.mutable)],
        ['Reclaimable:', String(!record.inUse)],
        ['Shared:', String(record.shared)],
        ['Size:', humanSize(record.size, 4)],
        ...(record.description === '' ? [] : [['Description:', record.description]]),
        ['Usage count:', String(record.usageCount)],
        ['Last used:', timeAgo(new Date(record.lastUsedAt), now)],
        ['Type:', record.type],
      ];
      return `${tabbed(lines)}\n`;
    })
    .join('');
}

/** Columns with tabs between, as Go's text/tabwriter fills them with a tab width of 8. */
function tabbed(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, n) => {
    const widest = Math.max(...rows.map((row) => (row[n] ?? '').length));
    return Math.ceil((widest + 1) / 8) * 8;
  });
  return rows
    .map((row) => {
      const cells = row.map((cell, n) => {
        if (n === row.length - 1) return cell;
        return cell + '\t'.repeat(Math.ceil(((widths[n] ?? 0) - cell.length) / 8));
      });
      return `${cells.join('')}\n`;
    })
    .join('');
}

/** A time as Go's `String` writes it. */
function goTimeText(time: number): string {
  const text = new Date(time).toISOString();
  const fraction = text.slice(19, -1).replace(/\.?0+$/, '');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${fraction} +0000 UTC`;
}
