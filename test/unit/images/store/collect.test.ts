import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { collectGarbage } from '../../../../src/images/store/collect.ts';
import { leasedDigests, takeLease } from '../../../../src/images/store/leases.ts';
import { changeIndex } from '../../../../src/images/store/transaction.ts';
import { blobPath, readIndex } from '../../../../src/images/store.ts';
import { type Layout, layoutOf } from '../../../../src/state/layout.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { writeImage } from '../fixture/oci-layout.ts';
import { blobOf } from '../registry/blobs.ts';

const stray = blobOf(10_000);
/** Beyond the largest PID. */
const DEAD = '99999999-1-1.json';

function store() {
  const layout = layoutOf(join(temporaryDirectory(), 'home'));
  const image = writeImage(layout.imagesDir, { name: 'x' });
  writeFileSync(blobPath(layout.imagesDir, stray.digest), stray.bytes);
  for (const dir of [layout.rootfsDir, layout.ingestDir, layout.leasesDir])
    mkdirSync(dir, { recursive: true });
  return { layout, image };
}

const has = (layout: Layout, digest: string): boolean => existsSync(blobPath(layout.imagesDir, digest));
const collect = (layout: Layout) => collectGarbage(layout, readIndex(layout.imagesDir));

test('what no image leads to goes, what one leads to stays', () => {
  const { layout, image } = store();
  const collected = collect(layout);
  expect(collected.blobs).toEqual([stray.digest]);
  expect(collected.bytes).toBeGreaterThanOrEqual(stray.size);
  for (const digest of [image.digest, image.id, image.layer]) expect(has(layout, digest)).toBe(true);
  expect(collect(layout)).toEqual({ blobs: [], bytes: 0 });
});

test('root filesystems go with their image', () => {
  const { layout, image } = store();
  const mine = image.id.slice('sha256:'.length);
  const other = 'f'.repeat(64);
  for (const hex of [mine, other]) {
    for (const suffix of ['squashfs', 'json']) writeFileSync(join(layout.rootfsDir, `${hex}.${suffix}`), 'x');
  }
  collect(layout);
  expect(readdirSync(layout.rootfsDir).toSorted()).toEqual([`${mine}.json`, `${mine}.squashfs`]);
});

test('a leased blob stays as long as the lease', async () => {
  const { layout } = store();
  {
    using lease = takeLease(layout);
    await lease.hold([stray.digest]);
    expect(collect(layout).blobs).toEqual([]);
  }
  expect(collect(layout).blobs).toEqual([stray.digest]);
  expect(readdirSync(layout.leasesDir)).toEqual([]);
});

test("a dead process's lease counts for nothing, and goes with the next lease", async () => {
  const { layout } = store();
  writeFileSync(join(layout.leasesDir, DEAD), JSON.stringify([stray.digest]));
  writeFileSync(join(layout.leasesDir, `${DEAD}.tmp`), '[');
  expect(leasedDigests(layout)).toEqual(new Set());
  writeFileSync(join(layout.leasesDir, DEAD), '[]');
  using lease = takeLease(layout);
  await lease.hold([stray.digest]);
  await lease.hold([blobOf(5).digest]);
  expect(readdirSync(layout.leasesDir)).toHaveLength(1);
  expect(leasedDigests(layout)).toEqual(new Set([stray.digest, blobOf(5).digest]));
});

test('half a blob is kept for a day', () => {
  const { layout } = store();
  const [fresh, old] = ['a', 'b'].map((digit) => join(layout.ingestDir, digit.repeat(64)));
  if (fresh === undefined || old === undefined) throw new Error('no files');
  for (const file of [fresh, old]) writeFileSync(file, 'half');
  const longAgo = Date.now() / 1000 - 25 * 3600;
  utimesSync(old, longAgo, longAgo);
  collect(layout);
  expect([fresh, old].map((file) => existsSync(file))).toEqual([true, false]);
});

test('a damaged image keeps what can still be told to be its own', () => {
  const { layout, image } = store();
  rmSync(blobPath(layout.imagesDir, image.id));
  expect(collect(layout).blobs).toEqual([stray.digest]);
  expect(has(layout, image.layer)).toBe(true);
});

test('an empty store has nothing to collect', () => {
  expect(collectGarbage(layoutOf(join(temporaryDirectory(), 'home')), [])).toEqual({ blobs: [], bytes: 0 });
});

test('a change of the index that fails changes nothing, and changes come one after another', async () => {
  const { layout } = store();
  const before = readIndex(layout.imagesDir);
  const failing = changeIndex(layout, () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(readIndex(layout.imagesDir)).toEqual(before);
  const [entry] = before;
  if (entry === undefined) throw new Error('no image');
  await Promise.all(
    Array.from({ length: 5 }, () => changeIndex(layout, (entries) => Promise.resolve([...entries, entry]))),
  );
  expect(readIndex(layout.imagesDir)).toHaveLength(6);
});
