import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { findImage, listImages, listSummaries } from '../../../src/images/find.ts';
import { withImage } from '../../../src/images/store/entries.ts';
import { changeIndex } from '../../../src/images/store/transaction.ts';
import { blobPath } from '../../../src/images/store.ts';
import { layoutOf } from '../../../src/state/layout.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { writeImage } from './fixture/oci-layout.ts';

const noDamage = (error: Error): never => {
  throw error;
};

async function listedStore() {
  const directory = temporaryDirectory();
  const bundleDir = join(directory, 'guest');
  const config = { Labels: { a: 'b' } };
  const image = writeImage(join(bundleDir, 'images'), { name: 'a3s/base:latest', config });
  const layout = layoutOf(join(directory, 'home'));
  const list = () => listSummaries(layout, bundleDir, noDamage);
  return { layout, bundleDir, image, list, first: await list(), file: join(layout.cacheDir, 'images.json') };
}

test('a list says of an image what the image says', async () => {
  const { layout, bundleDir, first, list } = await listedStore();
  const [{ layers: _layers, config, ...image } = {}] = await listImages(layout, bundleDir, noDamage);
  expect(first).toEqual([{ ...image, config: { labels: config?.labels } }]);
  expect(await list()).toEqual(first);
});

test('what was listed once is listed again without its blobs', async () => {
  const { layout, image, first, list } = await listedStore();
  rmSync(blobPath(layout.imagesDir, image.id));
  expect(await list()).toEqual(first);
});

test('names are those of now', async () => {
  const { layout, image, list } = await listedStore();
  await changeIndex(layout, (entries) => {
    const [entry] = entries;
    if (entry === undefined) return null;
    return withImage(entries, { manifest: entry, size: 7, name: 'docker.io/library/other:1' });
  });
  expect(await list()).toMatchObject([{ id: image.id, repoTags: ['a3s/base:latest', 'other:1'] }]);
});

test.each(['', '[]', '{"sha256:x":{}}', null])('a cache of %j is written anew', async (content) => {
  const { first, list, file } = await listedStore();
  const before = readFileSync(file, 'utf8');
  if (content === null) rmSync(file);
  else writeFileSync(file, content);
  expect(await list()).toEqual(first);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('a cache that cannot be written is done without', async () => {
  const { layout, first, list } = await listedStore();
  rmSync(layout.cacheDir, { recursive: true });
  writeFileSync(layout.cacheDir, '');
  expect(await list()).toEqual(first);
});

test('an image is found by its ID after it was listed', async () => {
  const { layout, bundleDir, image } = await listedStore();
  expect(await findImage(layout, bundleDir, image.id)).toMatchObject({ config: { labels: { a: 'b' } } });
});
