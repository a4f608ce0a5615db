import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

import { readLayer, storeLayer } from '../../../../src/build/cache/layers.ts';
import { blobPath } from '../../../../src/images/store.ts';
import { namesIn } from '../../../../src/state/directory.ts';
import { tar } from '../../images/layers/fixture/tar.ts';
import { collect, emptyStore, hasBlobOf, layerWith, leaseOf } from './fixture/store.ts';

const twoFiles = tar(
  { name: 'dir', type: '5' },
  { name: 'dir/a', content: 'alpha' },
  { name: 'dir/b', content: Buffer.alloc(100_000, 'b') },
);

async function wholeOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('a layer comes out of the store as it went in', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const layer = await storeLayer(layout, lease, async (sink) => {
    for (let at = 0; at < twoFiles.length; at += 777) {
      if (!sink.write(twoFiles.subarray(at, at + 777))) await once(sink, 'drain');
    }
  });
  expect(layer).toMatchObject({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    contentBytes: 100_005,
  });
  if (layer === null) return;
  expect(gunzipSync(readFileSync(blobPath(layout.imagesDir, layer.digest)))).toEqual(twoFiles);
  expect(await wholeOf(readLayer(layout, layer))).toEqual(twoFiles);
  expect(namesIn(layout.ingestDir)).toEqual([]);
});

test('the same tar is the same layer', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const first = await layerWith(layout, lease, 'x');
  expect(await layerWith(layout, lease, 'x')).toEqual(first);
  expect(readdirSync(`${layout.imagesDir}/blobs/sha256`)).toHaveLength(1);
});

test('a tar without entries is no layer', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  expect(await storeLayer(layout, lease, async (sink) => void sink.write(tar()))).toBeNull();
  expect(await storeLayer(layout, lease, async () => undefined)).toBeNull();
  expect(namesIn(layout.ingestDir)).toEqual([]);
});

test('the layer lives as long as the lease', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const layer = await layerWith(layout, lease, 'x');
  expect(collect(layout)).toEqual([]);
  lease[Symbol.dispose]();
  expect(collect(layout)).toEqual([layer.digest]);
  expect(hasBlobOf(layout, layer)).toBe(false);
});

test('what fails on the way leaves nothing', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const failing = storeLayer(layout, lease, async (sink) => {
    sink.write(twoFiles.subarray(0, 5000));
    throw new Error('the source is gone');
  });
  await expect(failing).rejects.toThrow('the source is gone');
  await expect(storeLayer(layout, lease, async (sink) => void sink.write('x'.repeat(2000)))).rejects.toThrow(
    'cannot unpack layer of a build',
  );
  expect(namesIn(layout.ingestDir)).toEqual([]);
  expect(namesIn(`${layout.imagesDir}/blobs/sha256`)).toEqual([]);
});

test('an abort ends it with its reason, though whoever makes the tar goes on waiting', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const abort = new AbortController();
  const stored = storeLayer(layout, lease, () => new Promise(() => undefined), abort.signal);
  abort.abort(new Error('enough'));
  await expect(stored).rejects.toThrow('enough');
  expect(namesIn(layout.ingestDir)).toEqual([]);
});

test('a layer that was altered or is missing is told by its digest', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const layer = await layerWith(layout, lease, 'x');
  const file = blobPath(layout.imagesDir, layer.digest);
  const other = await layerWith(layout, lease, 'y');
  writeFileSync(file, readFileSync(blobPath(layout.imagesDir, other.digest)));
  await expect(wholeOf(readLayer(layout, layer))).rejects.toThrow(`blob ${layer.digest} was altered`);
  const gone = { ...layer, digest: `sha256:${'0'.repeat(64)}` };
  await expect(wholeOf(readLayer(layout, gone))).rejects.toThrow(`blob ${gone.digest} is missing`);
});

test('a reader may stop in the middle', async () => {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  const layer = await layerWith(layout, lease, 'z'.repeat(3_000_000));
  for await (const piece of readLayer(layout, layer)) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  // A failure that nobody awaits would end the process.
  await setTimeout(20);
});
