import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { findImage, listImages } from '../../../src/images/find.ts';
import { blobPath } from '../../../src/images/store.ts';
import { layoutOf } from '../../../src/state/layout.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { type SampleOptions, writeImage } from './fixture/oci-layout.ts';

function newStore(options: Partial<SampleOptions> = {}) {
  const directory = temporaryDirectory();
  const bundleDir = join(directory, 'guest');
  const embedded = join(bundleDir, 'images');
  const image = writeImage(embedded, { name: 'a3s/base:latest', ...options });
  return { layout: layoutOf(join(directory, 'home')), bundleDir, embedded, image };
}

test('an embedded image is imported on first need, as a standard layout', async () => {
  const { layout, bundleDir, image } = newStore({ config: { Cmd: ['sh'], Env: ['A=1'], Entrypoint: null } });
  const found = await findImage(layout, bundleDir, 'a3s/base');
  expect(found).toMatchObject({
    id: image.id,
    digest: image.digest,
    repoTags: ['a3s/base:latest'],
    created: '2026-01-02T03:04:05Z',
    size: image.tar.length,
    config: { cmd: ['sh'], env: ['A=1'], entrypoint: [], architecture: 'amd64' },
  });
  expect(JSON.parse(readFileSync(join(layout.imagesDir, 'oci-layout'), 'utf8'))).toEqual({
    imageLayoutVersion: '1.0.0',
  });
  const index: unknown = JSON.parse(readFileSync(join(layout.imagesDir, 'index.json'), 'utf8'));
  expect(index).toMatchObject({
    schemaVersion: 2,
    manifests: [{ digest: image.digest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }],
  });
  expect(statSync(blobPath(layout.imagesDir, image.layer)).size).toBeGreaterThan(0);
});

test('an image is found by every name Docker would find it by', async () => {
  const { layout, bundleDir, image } = newStore();
  const hex = image.id.slice('sha256:'.length);
  const names = [
    'a3s/base',
    'a3s/base:latest',
    'docker.io/a3s/base',
    `a3s/base@${image.digest}`,
    image.id,
    hex,
  ];
  for (const name of [...names, hex.slice(0, 12)]) {
    expect((await findImage(layout, bundleDir, name))?.id).toBe(image.id);
  }
  for (const name of ['a3s/base:2', 'base', `b@${image.digest}`, 'f'.repeat(64)]) {
    expect(await findImage(layout, bundleDir, name)).toBeNull();
  }
});

const noDamage = (error: Error): never => {
  throw error;
};

test('the start of several IDs means none of them', async () => {
  const { layout, bundleDir, embedded } = newStore();
  const ids = new Set<string>();
  // Sixteen first digits: one more image than that has two that share theirs.
  for (let n = 0; ids.size < 17; n += 1) {
    const { id } = writeImage(embedded, { name: `a3s/i${n}:latest`, content: String(n) });
    await findImage(layout, bundleDir, `a3s/i${n}`);
    ids.add(id);
  }
  const digits = [...ids].map((id) => id.replace('sha256:', '')[0] ?? '');
  const shared = digits.find((digit, n) => digits.indexOf(digit) !== n) ?? '';
  expect(await findImage(layout, bundleDir, shared)).toBeNull();
});

test('a damaged image is left out of lists and told of', async () => {
  const { layout, bundleDir, embedded, image } = newStore();
  await findImage(layout, bundleDir, 'a3s/base');
  writeImage(embedded, { name: 'a3s/other:latest', content: 'other' });
  await findImage(layout, bundleDir, 'a3s/other');
  rmSync(blobPath(layout.imagesDir, image.id));
  const told: string[] = [];
  const images = await listImages(layout, bundleDir, ({ message }) => told.push(message));
  expect(images.map(({ repoTags }) => repoTags)).toEqual([['a3s/other:latest']]);
  expect(told).toEqual([`a3s/base:latest: the image is damaged: blob ${image.id} is missing`]);
});

test('without a bundle there are no images', async () => {
  const layout = layoutOf(join(temporaryDirectory(), 'home'));
  expect(await listImages(layout, '/nonexistent', noDamage)).toEqual([]);
  expect(await findImage(layout, '/nonexistent', 'a3s/base')).toBeNull();
  expect(existsSync(layout.home)).toBe(false);
});

test('a bundle with another image of the name replaces the one that came from a bundle', async () => {
  const { layout, bundleDir, embedded, image } = newStore();
  await findImage(layout, bundleDir, 'a3s/base');
  const newer = writeImage(embedded, { name: 'a3s/base:latest', content: 'newer' });
  expect(newer.id).not.toBe(image.id);
  expect((await findImage(layout, bundleDir, 'a3s/base'))?.id).toBe(newer.id);
  expect(await listImages(layout, bundleDir, noDamage)).toHaveLength(1);
});

test('an altered blob in the bundle is refused, naming it, and nothing is imported', async () => {
  const { layout, bundleDir, embedded, image } = newStore();
  appendFileSync(blobPath(embedded, image.layer), 'x');
  await expect(findImage(layout, bundleDir, 'a3s/base')).rejects.toMatchObject({
    code: 'image_broken',
    message: `the image is damaged: blob ${image.layer} was altered`,
  });
  expect(existsSync(join(layout.imagesDir, 'index.json'))).toBe(false);
});

test.each(['missing', 'truncated'])('a %s blob in the store is taken from the bundle again', async (how) => {
  const { layout, bundleDir, image } = newStore();
  await findImage(layout, bundleDir, 'a3s/base');
  const config = blobPath(layout.imagesDir, image.id);
  if (how === 'missing') rmSync(config);
  else writeFileSync(config, '{');
  expect((await findImage(layout, bundleDir, 'a3s/base'))?.config.cmd).toEqual(['sh']);
});

test('a broken blob that nobody has is an error that names it', async () => {
  const { layout, bundleDir, image } = newStore();
  await findImage(layout, bundleDir, 'a3s/base');
  rmSync(blobPath(layout.imagesDir, image.id));
  await expect(findImage(layout, '/nonexistent', 'a3s/base')).rejects.toMatchObject({
    code: 'image_broken',
    message: `a3s/base:latest: the image is damaged: blob ${image.id} is missing`,
  });
});

test('a damaged index is an error that names the file', async () => {
  const { layout, bundleDir } = newStore();
  await findImage(layout, bundleDir, 'a3s/base');
  writeFileSync(join(layout.imagesDir, 'index.json'), '{"manifests":[{}]}');
  await expect(findImage(layout, bundleDir, 'a3s/base')).rejects.toThrow(
    `the image index ${layout.imagesDir}/index.json is damaged: the image has a bad field: manifests[0].digest`,
  );
});

test.each([
  ['Env', { Env: 'A=1' }],
  ['Cmd', { Cmd: [1] }],
  ['Labels', { Labels: { a: 1 } }],
  ['ExposedPorts', { ExposedPorts: [] }],
])('a configuration with a bad %s is refused', async (field, config) => {
  const { layout, bundleDir } = newStore({ config });
  await expect(findImage(layout, bundleDir, 'a3s/base')).rejects.toThrow(
    `the image has a bad field: config.${field}`,
  );
});
