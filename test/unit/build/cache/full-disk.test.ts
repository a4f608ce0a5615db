/** A disk without room costs what the cache would have saved, and no build. */
import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';

import { BuildCache } from '../../../../src/build/cache/build-cache.ts';
import { hashOf } from '../../../../src/build/cache/step-file.ts';
import { stepFile } from '../../../../src/images/store/cached.ts';
import { namesIn } from '../../../../src/state/directory.ts';
import { buildCachePaths, type Layout } from '../../../../src/state/layout.ts';
import { processMark } from '../../../../src/state/processes.ts';
import { buildOnce, emptyStore, leaseOf } from './fixture/store.ts';

/** Whatever is written of this step meets a device that is always full. */
function fillDiskFor(layout: Layout, key: string): void {
  for (let n = 1; n < 100; n += 1) {
    symlinkSync('/dev/full', `${stepFile(layout, hashOf(key))}.${processMark()}-${n}.tmp`);
  }
}

test('a step that cannot be noted is not known, one that cannot be noted again is', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'known');
  fillDiskFor(layout, 'known');
  fillDiskFor(layout, 'new');
  const cache = new BuildCache(layout, leaseOf(layout));
  const created = '2026-01-02T03:04:05Z';
  await cache.put('new', { layer: null, created }, { description: '', parent: null });
  expect(await cache.find('new')).toBeNull();
  expect(await cache.find('known')).toMatchObject({ layer });
  const files = namesIn(buildCachePaths(layout).steps);
  expect(files.filter((name) => name.endsWith('.json'))).toEqual([`${hashOf('known')}.json`]);
});
