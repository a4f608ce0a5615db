import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { BuildCache } from '../../../../src/build/cache/build-cache.ts';
import { PRUNE_EVERYTHING, pruneBuildCache } from '../../../../src/build/cache/prune.ts';
import { nameImage } from '../../../../src/build/output/write-image.ts';
import { takeLease } from '../../../../src/images/store/leases.ts';
import { blobPath, nameOf, readIndex, writeIndex } from '../../../../src/images/store.ts';
import { buildOnce, collect, emptyStore, leaseOf } from '../cache/fixture/store.ts';
import { fakeTar2sqfs } from '../../images/fixture/fake-tar2sqfs.ts';
import { buildSmall, created, write } from './fixture.ts';

const nowhere = '/nonexistent';

test('the manifest, byte for byte as BuildKit writes it', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const built = await buildSmall(layout, lease);
  const { id, entry, blobs } = await write(layout, lease, built, { annotations: { b: '2', a: '1' } });
  const config = readFileSync(blobPath(layout.imagesDir, id));
  const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const { digest, size } = built.layer;
  expect(readFileSync(blobPath(layout.imagesDir, entry.digest), 'utf8')).toBe(`{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "${id}",
    "size": ${config.length}
  },
  "layers": [
    {
      "mediaType": "${gzip}",
      "digest": "${digest}",
      "size": ${size}
    },
    {
      "mediaType": "${gzip}",
      "digest": "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
      "size": 32
    }
  ],
  "annotations": {
    "a": "1",
    "b": "2"
  }
}`);
  expect(blobs.map((blob) => blob.digest)).toEqual([
    entry.digest,
    id,
    digest,
    'sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1',
  ]);
});

test('the same build gives the same image, in either form', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const first = await write(layout, lease, await buildSmall(layout, lease));
  expect(await write(layout, lease, await buildSmall(layout, lease))).toEqual(first);
  const docker = await write(layout, lease, await buildSmall(layout, lease), { form: 'docker' });
  expect(docker.id).toBe(first.id);
  expect(docker.entry.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  expect(docker.blobs.map(({ mediaType }) => mediaType).slice(1, 3)).toEqual([
    'application/vnd.docker.container.image.v1+json',
    'application/vnd.docker.image.rootfs.diff.tar.gzip',
  ]);
});

test('an image gets its names, and keeps its blobs when the build is over', async () => {
  const layout = emptyStore();
  fakeTar2sqfs(join(layout.home, '..'));
  {
    using lease = takeLease(layout);
    const written = await write(layout, lease, await buildSmall(layout, lease));
    const names = ['docker.io/library/one:1', 'docker.io/library/two:latest'];
    const { image, moved } = await nameImage(layout, nowhere, written, names);
    expect(image.id).toBe(written.id);
    expect(moved).toEqual([]);
  }
  expect(collect(layout)).toEqual([]);
  expect(readIndex(layout.imagesDir).map(nameOf)).toEqual([
    'docker.io/library/one:1',
    'docker.io/library/two:latest',
  ]);
  using lease = takeLease(layout);
  const other = await write(layout, lease, await buildSmall(layout, lease, 'other'));
  const { moved } = await nameImage(layout, nowhere, other, ['docker.io/library/one:1']);
  expect(moved.map(({ name }) => name)).toEqual(['docker.io/library/one:1']);
});

test('--cache-from knows the steps of an image that was built here, though the cache was pruned', async () => {
  const layout = emptyStore();
  fakeTar2sqfs(join(layout.home, '..'));
  let id = '';
  {
    using lease = takeLease(layout);
    const written = await write(layout, lease, await buildSmall(layout, lease));
    ({ id } = written);
    await nameImage(layout, nowhere, written, ['docker.io/library/x:1']);
  }
  await pruneBuildCache(layout, PRUNE_EVERYTHING);
  const cache = new BuildCache(layout, leaseOf(layout));
  expect(await cache.find('copy hello')).toBeNull();
  expect(cache.from(id)).toBe(2);
  expect(await cache.find('copy hello')).toMatchObject({ layer: { contentBytes: 5 }, created });
  expect(await cache.find('run on hello')).toEqual({ layer: null, created });
  // From now on without the image as well.
  expect(await new BuildCache(layout, leaseOf(layout)).find('copy hello')).not.toBeNull();
});

test('an inline cache goes where the image goes, and names no layers but its own', async () => {
  const layout = emptyStore();
  fakeTar2sqfs(join(layout.home, '..'));
  const foreign = await buildOnce(layout, 'secret');
  using lease = takeLease(layout);
  const built = await buildSmall(layout, lease);
  built.steps.push({ key: 'claimed', result: { layer: foreign, created }, description: '' });
  const written = await write(layout, lease, built, { inlineCache: true });
  // As an image that was pulled: nothing is known of it here.
  await writeIndex(layout.imagesDir, [written.entry]);
  const cache = new BuildCache(layout, leaseOf(layout));
  expect(cache.from(written.id)).toBe(2);
  expect(await cache.find('copy hello')).not.toBeNull();
  expect(await cache.find('claimed')).toBeNull();
  expect(cache.from(`sha256:${'0'.repeat(64)}`)).toBe(0);
});
