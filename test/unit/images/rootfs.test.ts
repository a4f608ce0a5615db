import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';

import { findImage } from '../../../src/images/find.ts';
import type { Image } from '../../../src/images/image.ts';
import { ensureRootfs, layerSizes } from '../../../src/images/rootfs.ts';
import { blobPath } from '../../../src/images/store.ts';
import { type Layout, layoutOf } from '../../../src/state/layout.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { fakeTar2sqfs } from './fixture/fake-tar2sqfs.ts';
import { type SampleOptions, writeImage } from './fixture/oci-layout.ts';
import { readTar } from './layers/fixture/store.ts';
import { sha256 } from './layers/fixture/tar.ts';

async function importedImage(options: Partial<SampleOptions> & { script?: string } = {}) {
  const directory = temporaryDirectory();
  fakeTar2sqfs(directory, options.script);
  const bundleDir = join(directory, 'guest');
  const sample = writeImage(join(bundleDir, 'images'), { name: 'a3s/base:latest', ...options });
  const layout = layoutOf(join(directory, 'home'));
  const image = await findImage(layout, bundleDir, 'a3s/base');
  if (image === null) throw new Error('not imported');
  return { layout, bundleDir, image, sample, runs: () => runsIn(directory) };
}

function runsIn(directory: string): number {
  const file = join(directory, 'bin', 'runs');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

function squashfsOf(layout: Layout, image: Image): string {
  return join(layout.rootfsDir, `${image.id.slice('sha256:'.length)}.squashfs`);
}

/** What the sample's one layer holds. */
const PACKED = [{ name: 'etc/greeting', content: Buffer.from('hello') }];

test.each(['tar+gzip', 'tar'])('the bytes of a layer reach tar2sqfs unpacked (%s)', async (type) => {
  const { layout, bundleDir, image } = await importedImage({
    mediaType: `application/vnd.oci.image.layer.v1.${type}`,
  });
  const rootfs = await ensureRootfs(layout, image, bundleDir);
  expect(rootfs.path).toBe(squashfsOf(layout, image));
  expect(readTar(readFileSync(rootfs.path))).toMatchObject(PACKED);
  expect(rootfs.digest).toBe(sha256(readFileSync(rootfs.path)));
  expect(readdirSync(layout.rootfsDir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('it is built once, however many ask at the same time', async () => {
  const { layout, bundleDir, image, runs } = await importedImage();
  const all = await Promise.all(Array.from({ length: 8 }, () => ensureRootfs(layout, image, bundleDir)));
  expect(new Set(all.map(({ digest }) => digest)).size).toBe(1);
  await ensureRootfs(layout, image, bundleDir);
  expect(runs()).toBe(1);
});

test.each([
  ['missing', (file: string) => rmSync(file)],
  ['truncated', (file: string) => truncateSync(file, 10)],
  ['altered', (file: string) => appendFileSync(file, 'x')],
] as const)('a %s squashfs is built again', async (_, damage) => {
  const { layout, bundleDir, image, runs } = await importedImage();
  const { path } = await ensureRootfs(layout, image, bundleDir);
  damage(path);
  await ensureRootfs(layout, image, bundleDir);
  expect(readTar(readFileSync(path))).toMatchObject(PACKED);
  expect(runs()).toBe(2);
});

test('an altered squashfs whose size and time were put back is built again', async () => {
  const { layout, bundleDir, image } = await importedImage();
  const { path } = await ensureRootfs(layout, image, bundleDir);
  const altered = readFileSync(path);
  altered[0] = 88;
  rmSync(path);
  writeFileSync(path, altered);
  utimesSync(path, 1000, 1000);
  await ensureRootfs(layout, image, bundleDir);
  expect(readTar(readFileSync(path))).toMatchObject(PACKED);
});

test('a squashfs that was only copied is proved, not built again', async () => {
  const { layout, bundleDir, image, runs } = await importedImage();
  const { path, digest } = await ensureRootfs(layout, image, bundleDir);
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
  expect((await ensureRootfs(layout, image, bundleDir)).digest).toBe(digest);
  expect(runs()).toBe(1);
});

test('a damaged sidecar means a new squashfs', async () => {
  const { layout, bundleDir, image, runs } = await importedImage();
  const { path } = await ensureRootfs(layout, image, bundleDir);
  writeFileSync(path.replace(/squashfs$/, 'json'), '{"digest":"sha256:12"}');
  await ensureRootfs(layout, image, bundleDir);
  expect(runs()).toBe(2);
});

test('an altered configuration is noticed, though its size is right', async () => {
  const { layout, bundleDir, image } = await importedImage();
  await ensureRootfs(layout, image, bundleDir);
  const config = blobPath(layout.imagesDir, image.id);
  writeFileSync(config, readFileSync(config, 'utf8').replace('amd64', 'arm64'));
  await expect(ensureRootfs(layout, image, bundleDir)).rejects.toMatchObject({
    code: 'image_broken',
    message: `the image is damaged: blob ${image.id} was altered`,
  });
});

test.each(['missing', 'altered'])('a %s layer is taken from the bundle again', async (how) => {
  const { layout, bundleDir, image, sample } = await importedImage();
  const layer = blobPath(layout.imagesDir, sample.layer);
  if (how === 'missing') rmSync(layer);
  else writeFileSync(layer, 'garbage');
  const { path } = await ensureRootfs(layout, image, bundleDir);
  expect(readTar(readFileSync(path))).toMatchObject(PACKED);
});

test('a layer that nobody has whole is an error that names it, and leaves nothing', async () => {
  const { layout, image, sample } = await importedImage();
  truncateSync(blobPath(layout.imagesDir, sample.layer), 40);
  await expect(ensureRootfs(layout, image, '/nonexistent')).rejects.toMatchObject({
    code: 'image_broken',
    message: `the image is damaged: blob ${sample.layer} was altered`,
  });
  expect(readdirSync(layout.rootfsDir)).toEqual([]);
});

test('a tar2sqfs that fails is quoted', async () => {
  const script = 'cat > "$file"; echo "no space left" >&2; exit 1';
  const { layout, bundleDir, image } = await importedImage({ script });
  await expect(ensureRootfs(layout, image, bundleDir)).rejects.toMatchObject({
    code: 'io',
    message: 'cannot build the root filesystem of image a3s/base:latest: tar2sqfs failed: no space left',
  });
  expect(readdirSync(layout.rootfsDir)).toEqual([]);
});

test('a tar2sqfs that gives up at once is quoted, too', async () => {
  const { layout, bundleDir, image } = await importedImage({
    script: 'echo "bad option" >&2; exit 1',
    content: 'x'.repeat(4_000_000),
  });
  await expect(ensureRootfs(layout, image, bundleDir)).rejects.toThrow('tar2sqfs failed: bad option');
});

test('without tar2sqfs the error says what to install', async () => {
  const { layout, bundleDir, image } = await importedImage();
  vi.stubEnv('PATH', '/nonexistent');
  await expect(ensureRootfs(layout, image, bundleDir)).rejects.toMatchObject({
    code: 'host_setup',
    message: 'tar2sqfs is not installed',
    hint: 'install it: apt-get install squashfs-tools-ng',
  });
});

test('a tar2sqfs that is killed is told, and leaves nothing', async () => {
  const { layout, bundleDir, image } = await importedImage({ script: 'cat > "$file"; kill -KILL $$' });
  await expect(ensureRootfs(layout, image, bundleDir)).rejects.toMatchObject({
    code: 'io',
    message: 'cannot build the root filesystem of image a3s/base:latest: tar2sqfs was killed by SIGKILL',
  });
  expect(readdirSync(layout.rootfsDir)).toEqual([]);
});

test('a full disk is told in the words of tar2sqfs, and leaves nothing', async () => {
  const content = randomBytes(3_000_000).toString('hex');
  const script = '(ulimit -f 1000; trap "" XFSZ; exec /usr/bin/tar2sqfs "$@")';
  const { layout, bundleDir, image } = await importedImage({ content, script });
  await expect(ensureRootfs(layout, image, bundleDir)).rejects.toThrow(
    'cannot build the root filesystem of image a3s/base:latest: tar2sqfs failed: ',
  );
  expect(readdirSync(layout.rootfsDir)).toEqual([]);
});

test('an image with several layers is built', async () => {
  const { layout, bundleDir, image } = await importedImage({ layers: 2 });
  const { path } = await ensureRootfs(layout, image, bundleDir);
  expect(readTar(readFileSync(path))).toMatchObject([{ name: './' }, { name: 'etc' }, ...PACKED]);
});

test.each([1, 2])('the sizes of %i layers are those of their files, once it is built', async (layers) => {
  const { layout, bundleDir, image } = await importedImage({ layers });
  expect(layerSizes(layout, image)).toEqual(image.layers.map(({ size }) => size));
  const { path } = await ensureRootfs(layout, image, bundleDir);
  const files = image.layers.map(() => 'hello'.length);
  expect(layerSizes(layout, image)).toEqual(files);
  utimesSync(path, 1000, 1000);
  await ensureRootfs(layout, image, bundleDir);
  expect(layerSizes(layout, image)).toEqual(files);
});

test('an image without layers has an empty root', async () => {
  const { layout, bundleDir, image } = await importedImage({ layers: 0 });
  const { path } = await ensureRootfs(layout, image, bundleDir);
  expect(readTar(readFileSync(path))).toMatchObject([{ name: './', type: 'directory', mode: 0o755 }]);
});
