/**
 * Layers → one squashfs. Nothing is unpacked on the host: the layers' tars are merged into one tar that tar2sqfs reads.
 * One layer is passed on while it is read. Several are read twice: first for their names, which say what of each survives, then
 * for the content of that.
 */
import { setFlagsFromString } from 'node:v8';

import type { Layer } from '../image.ts';
import { unpackLayer } from '../verify.ts';
import { Archive } from './archive.ts';
import { indexing, type LayerIndex } from './layer-index.ts';
import { Budget, errorOf } from './limits.ts';
import { Merge } from './merge.ts';
import { SquashfsWriter } from './squashfs.ts';
import { emitMerged } from './survivors.ts';
import type { TarEntry } from './tar/entry.ts';
import { TarReader } from './tar/reader.ts';
import { tarSink } from './tar-sink.ts';

/** Layers that are indexed at a time: unpacking takes one thread each. */
const INDEXED_AT_ONCE = 2;

/** Thrown when a single layer turns out to need merging with itself. */
class NotInOrder extends Error {}

/**
 * Writes the root filesystem that `layers`, lowest first, add up to. All blobs are proved against their digests.
 * @param root of the OCI layout that holds them.
 * @returns bytes of the files in each layer, as Docker counts a layer's size.
 * @throws A3sError `image_broken` naming the layer, `unsupported`, `io`, `host_setup`, `timeout`; `file` is then to be removed.
 */
export async function packLayers(root: string, layers: readonly Layer[], file: string): Promise<number[]> {
  // V8 lets its nursery grow to 48 MiB when much is made; held at 1 MiB, 100,000 entries take 130 MiB in all instead of 250.
  setFlagsFromString('--semi-space-growth-factor=1');
  const [only, ...more] = layers;
  if (only !== undefined && more.length === 0) {
    try {
      return [await writing(file, (archive) => passOn(root, only, archive))];
    } catch (error) {
      if (!(error instanceof NotInOrder)) throw error;
    }
  }
  const indexes = await indexAll(root, layers);
  const merge = new Merge();
  for (const [n, layer] of layers.entries()) {
    merge.nextLayer(layer.digest);
    for (const entry of indexes[n]?.entries ?? []) merge.apply(entry);
  }
  await writing(file, (archive) => emitMerged(root, layers, merge.root, archive));
  return indexes.map(({ entries }) => entries.reduce((sum, entry) => sum + entry.size, 0));
}

async function writing<T>(file: string, produce: (archive: Archive) => Promise<T>): Promise<T> {
  const writer = new SquashfsWriter(file);
  try {
    const archive = new Archive(writer);
    const produced = await produce(archive);
    archive.end();
    await writer.settled();
    await writer.finish();
    return produced;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** @returns bytes of its files. */
async function passOn(root: string, layer: Layer, archive: Archive): Promise<number> {
  let fileBytes = 0;
  const merge = new Merge();
  merge.nextLayer(layer.digest);
  let isWanted = false;
  let last: TarEntry | null = null;
  const endLast = (): void => {
    if (isWanted && last !== null) archive.endContent(last);
  };
  const reader = new TarReader(errorOf(layer.digest), new Budget(), {
    entry(entry) {
      endLast();
      fileBytes += entry.size;
      const effect = merge.apply(entry);
      if (effect.kind === 'changed') throw new NotInOrder();
      isWanted = effect.kind === 'added';
      last = entry;
      if (effect.kind === 'added') archive.begin(entry, effect.path, entry.link, layer.digest);
      if (effect.kind === 'linked') archive.begin(entry, effect.path, effect.target, layer.digest);
    },
    content: (bytes) => {
      if (isWanted) archive.content(bytes);
    },
  });
  await unpackLayer(root, layer, tarSink(reader, archive.settled));
  endLast();
  return fileBytes;
}

/** The indexes of all layers, in their order. */
async function indexAll(root: string, layers: readonly Layer[]): Promise<LayerIndex[]> {
  const budget = new Budget();
  const indexes: LayerIndex[] = [];
  const ahead = layers.entries();
  const worker = async (): Promise<void> => {
    for (const [n, layer] of ahead) {
      const { sink, index } = indexing(layer.digest, budget);
      await unpackLayer(root, layer, sink);
      indexes[n] = index;
    }
  };
  await Promise.all(Array.from({ length: INDEXED_AT_ONCE }, worker));
  return indexes;
}
