import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { BuildCache } from '../../../../src/build/cache/build-cache.ts';
import { chosen, PRUNE_EVERYTHING, pruneBuildCache } from '../../../../src/build/cache/prune.ts';
import { parseRecordFilter } from '../../../../src/build/cache/record-filter.ts';
import { type CacheRecord, cacheRecords } from '../../../../src/build/cache/records.ts';
import { hashOf } from '../../../../src/build/cache/step-file.ts';
import { trimPolicy } from '../../../../src/build/cache/trim.ts';
import { nameImage } from '../../../../src/build/output/write-image.ts';
import { stepFile } from '../../../../src/images/store/cached.ts';
import { takeLease } from '../../../../src/images/store/leases.ts';
import { namesIn } from '../../../../src/state/directory.ts';
import { buildCachePaths, type Layout } from '../../../../src/state/layout.ts';
import { fakeTar2sqfs } from '../../images/fixture/fake-tar2sqfs.ts';
import { buildSmall, created, write } from '../output/fixture.ts';
import { buildOnce, emptyStore, hasBlobOf } from './fixture/store.ts';

const NOT_ALL = { ...PRUNE_EVERYTHING, all: false };

function usedAgo(layout: Layout, key: string, seconds: number): void {
  const time = Date.now() / 1000 - seconds;
  utimesSync(stepFile(layout, hashOf(key)), time, time);
}

const namesOf = (records: readonly CacheRecord[]): string[] => records.map(({ description }) => description);

test('a record tells of a step what BuildKit would', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'make');
  {
    using lease = takeLease(layout);
    const notes = { description: 'RUN true', parent: 'make' };
    const cache = new BuildCache(layout, lease);
    await cache.find('make');
    await cache.put('true', { layer: null, created }, notes);
  }
  usedAgo(layout, 'make', 60);
  const [made, nothing] = await cacheRecords(layout);
  expect(made).toMatchObject({
    type: 'regular',
    description: 'RUN make',
    parents: [],
    createdAt: Date.parse(created),
    usageCount: 2,
    inUse: false,
    shared: false,
    mutable: false,
  });
  expect(made?.id).toMatch(/^[0-9a-z]{25}$/);
  expect(made?.size).toBeGreaterThanOrEqual(layer.size);
  expect(nothing).toMatchObject({ description: 'RUN true', parents: [made?.id], size: 0, shared: false });
});

test('a prune takes steps and their layers', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'make');
  expect(namesOf(await pruneBuildCache(layout, NOT_ALL))).toEqual(['RUN make']);
  expect(hasBlobOf(layout, layer)).toBe(false);
  expect(await cacheRecords(layout)).toEqual([]);
});

test('a prune takes the directory of a mount, or its notes, that a killed build left without the other', async () => {
  const layout = emptyStore();
  const { mounts } = buildCachePaths(layout);
  mkdirSync(join(mounts, `${'a'.repeat(32)}.0`, 'deep'), { recursive: true });
  writeFileSync(join(mounts, `${'b'.repeat(32)}.1.json`), '{}');
  await pruneBuildCache(layout, PRUNE_EVERYTHING);
  expect(namesIn(mounts)).toEqual([]);
});

test('what a running build uses stays', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'make');
  using lease = takeLease(layout);
  await new BuildCache(layout, lease).find('make');
  expect(await pruneBuildCache(layout, PRUNE_EVERYTHING)).toEqual([]);
  expect(hasBlobOf(layout, layer)).toBe(true);
});

test('what an image has as well stays unless all is asked for', async () => {
  const layout = emptyStore();
  fakeTar2sqfs(join(layout.home, '..'));
  {
    using lease = takeLease(layout);
    const built = await buildSmall(layout, lease);
    const cache = new BuildCache(layout, lease);
    for (const [n, { key, result, description }] of built.steps.entries()) {
      await cache.put(key, result, { description, parent: n === 0 ? null : 'copy hello' });
    }
    await nameImage(layout, '/nonexistent', await write(layout, lease, built), ['docker.io/library/x:1']);
  }
  expect((await cacheRecords(layout)).map(({ shared }) => shared)).toEqual([true, true]);
  expect(await pruneBuildCache(layout, NOT_ALL)).toEqual([]);
  expect(namesOf(await pruneBuildCache(layout, PRUNE_EVERYTHING)).toSorted()).toEqual([
    '[1/2] COPY file /',
    '[2/2] RUN true',
  ]);
});

test('two steps with the same layer count it once', async () => {
  const layout = emptyStore();
  await buildOnce(layout, 'one', 'same');
  await buildOnce(layout, 'two', 'same');
  usedAgo(layout, 'one', 60);
  expect((await cacheRecords(layout)).map(({ size }) => size > 0)).toEqual([false, true]);
});

const record = (n: number, more: Partial<CacheRecord> = {}): CacheRecord => ({
  id: String(n),
  type: 'regular',
  description: `step ${n}`,
  parents: [],
  createdAt: 0,
  lastUsedAt: n * 1000,
  usageCount: 1,
  inUse: false,
  shared: false,
  mutable: false,
  size: 100,
  name: String(n),
  ...more,
});
const four = [record(1), record(2), record(3), record(4)];
const ids = (records: readonly CacheRecord[]): string => records.map(({ id }) => id).join(' ');

test.each([
  ['everything', {}, 1000, '1 2 3 4'],
  ['what was unused for long', { unusedMs: 7500 }, 1000, '1 2'],
  ['down to what may be used', { maxUsedBytes: 250 }, 1000, '1 2'],
  ['nothing where there is less', { maxUsedBytes: 500 }, 1000, ''],
  ['until the disk has room', { minFreeBytes: 1150 }, 1000, '1 2'],
  ['nothing where the disk has room', { minFreeBytes: 900 }, 1000, ''],
  ['not below what is reserved', { minFreeBytes: 2000, reservedBytes: 150 }, 1000, '1 2 3'],
  ['what the filter means', { matches: ({ id }: CacheRecord) => id === '3' }, 1000, '3'],
])('a prune takes %s', (_what, options, free, expected) => {
  expect(ids(chosen(four, { ...PRUNE_EVERYTHING, ...options }, free, 10_000))).toBe(expected);
});

test('records in use are never chosen, shared ones only with all', () => {
  const records = [record(1, { inUse: true }), record(2, { shared: true }), record(3)];
  expect(ids(chosen(records, NOT_ALL, 0))).toBe('3');
  expect(ids(chosen(records, PRUNE_EVERYTHING, 0))).toBe('2 3');
});

test('nobody has to ask: the policy is that of BuildKit', () => {
  const disk = 100 * 2 ** 30;
  expect(trimPolicy(disk).map(({ matches: _matches, ...numbers }) => numbers)).toEqual([
    { all: false, unusedMs: 172_800_000, reservedBytes: 0, maxUsedBytes: 512e6, minFreeBytes: 0 },
    { all: false, unusedMs: 5_184_000_000, reservedBytes: 10e9, maxUsedBytes: 81e9, minFreeBytes: 21e9 },
    { all: false, unusedMs: 0, reservedBytes: 10e9, maxUsedBytes: 81e9, minFreeBytes: 21e9 },
    { all: true, unusedMs: 0, reservedBytes: 10e9, maxUsedBytes: 81e9, minFreeBytes: 21e9 },
  ]);
});

test.each<[string[], string]>([
  [['id=1'], '1'],
  [['description=step 2'], '2'],
  [['description!=step 2'], '1 3 4'],
  [['description~=^step [34]$'], '3 4'],
  [['type=regular', 'description~=4'], '4'],
  [['type=source.local'], ''],
  [['label=x'], ''],
  [['inuse=true'], ''],
])('the filter %j', (filters, expected) => {
  expect(ids(four.filter(parseRecordFilter(filters).matches))).toBe(expected);
});

test.each<[string[], string]>([
  [['until=1h', 'unused-for=1h'], 'conflicting filters "until" and "unused-for"'],
  [['until=1h', 'until=2h'], '"until" filter expects only one value'],
  [['type=a', 'type=b'], '"type" filter expects only one value'],
  [['until=x'], `"until" filter expects a duration (e.g., '24h'): time: invalid duration "x"`],
])('the filter %j is refused', (filters, message) => {
  expect(() => parseRecordFilter(filters)).toThrow(message);
});

test('ages in filters', () => {
  expect(parseRecordFilter(['until=36h']).unusedMs).toBe(129_600_000);
  expect(parseRecordFilter(['unused-for=90s']).unusedMs).toBe(90_000);
});
