import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { BuildCache } from '../../../../src/build/cache/build-cache.ts';
import { cachedSteps, stepFile } from '../../../../src/images/store/cached.ts';
import { blobPath } from '../../../../src/images/store.ts';
import { buildCachePaths } from '../../../../src/state/layout.ts';
import { buildOnce, collect, emptyStore, hasBlobOf, leaseOf } from './fixture/store.ts';

const created = '2026-01-02T03:04:05.000Z';

test('a later build finds what an earlier one has made, by its key alone', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'make');
  const cache = new BuildCache(layout, leaseOf(layout));
  expect(await cache.find('make')).toEqual({ layer, created });
  expect(await cache.find('make all')).toBeNull();
});

test('a step that changed nothing is known as well', async () => {
  const layout = emptyStore();
  const cache = new BuildCache(layout, leaseOf(layout));
  await cache.put('true', { layer: null, created }, { description: 'RUN true', parent: 'make' });
  expect(await cache.find('true')).toEqual({ layer: null, created });
});

test('the layers of the cache survive a garbage collection, and go with their step', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'make');
  expect(collect(layout)).toEqual([]);
  for (const hash of cachedSteps(layout)) rmSync(stepFile(layout, hash));
  expect(collect(layout)).toEqual([layer.digest]);
});

test('what was found stays until the build is over', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'make');
  const lease = leaseOf(layout);
  await new BuildCache(layout, lease).find('make');
  for (const hash of cachedSteps(layout)) rmSync(stepFile(layout, hash));
  expect(collect(layout)).toEqual([]);
  lease[Symbol.dispose]();
  expect(collect(layout)).toEqual([layer.digest]);
  expect(hasBlobOf(layout, layer)).toBe(false);
});

test('a step without its layer counts as not there', async () => {
  const layout = emptyStore();
  const layer = await buildOnce(layout, 'make');
  rmSync(blobPath(layout.imagesDir, layer.digest));
  expect(await new BuildCache(layout, leaseOf(layout)).find('make')).toBeNull();
  await buildOnce(layout, 'make');
  writeFileSync(blobPath(layout.imagesDir, layer.digest), 'cut');
  expect(await new BuildCache(layout, leaseOf(layout)).find('make')).toBeNull();
});

test.each([
  '',
  '{"version":1',
  'null',
  '[]',
  '{"version":2,"layer":null,"created":"2026-01-02T03:04:05Z","description":"","parent":null,"uses":1}',
  '{"version":1,"layer":null,"created":"then","description":"","parent":null,"uses":1}',
  '{"version":1,"layer":{"digest":"sha256:../../x"},"created":"2026-01-02T03:04:05Z","description":"","parent":null,"uses":1}',
])('a file of the cache that is not sound is no step: %s', async (text) => {
  const layout = emptyStore();
  await buildOnce(layout, 'make');
  const [name = ''] = readdirSync(buildCachePaths(layout).steps);
  writeFileSync(join(buildCachePaths(layout).steps, name), text);
  expect(await new BuildCache(layout, leaseOf(layout)).find('make')).toBeNull();
  await buildOnce(layout, 'make');
  expect(await new BuildCache(layout, leaseOf(layout)).find('make')).not.toBeNull();
});

test('small values are remembered from build to build', () => {
  const layout = emptyStore();
  new BuildCache(layout, leaseOf(layout)).remember('etag of x', { etag: '"1"' });
  const cache = new BuildCache(layout, leaseOf(layout));
  expect(cache.recall('etag of x')).toEqual({ etag: '"1"' });
  expect(cache.recall('etag of y')).toBeUndefined();
});
