/** `system df`: what images, boxes, volumes and the build cache take on the host's disk. */
import { stat } from 'node:fs/promises';

import { listImages } from '../images/find.ts';
import { boxPaths, volumePaths } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { usersOf, volumeNames } from '../state/volumes.ts';
import { type CacheRecord, listBuildCache } from './build-cache.ts';
import { allBoxes } from './engine.ts';
import { damageTold, type Image } from './images.ts';
import { newestFirst } from './newest-first.ts';
import type { Engine } from './types.ts';
import { treeSize } from './volumes/prune.ts';

const BLOCK = 512;

export interface ImageUsage {
  image: Image;
  /** Bytes of the layers that another image has as well. */
  shared: number;
  boxes: number;
}

export interface BoxUsage {
  box: BoxRecord;
  /** Bytes that its writable disk takes. */
  size: number;
}

export interface VolumeUsage {
  name: string;
  /** Boxes that mount it. */
  links: number;
  size: number;
}

export interface DiskUsage {
  images: ImageUsage[];
  /** Bytes of all layers, each counted once. */
  layersSize: number;
  boxes: BoxUsage[];
  volumes: VolumeUsage[];
  buildCache: CacheRecord[];
}

/** Errors as in listBoxes, listImages and listVolumes. */
export async function diskUsage(engine: Engine): Promise<DiskUsage> {
  const boxes = (await allBoxes(engine)).toSorted((a, b) => newestFirst(a.created_at, b.created_at));
  const stored = await listImages(engine.layout, engine.bundleDir, damageTold(engine));
  const images = stored.toSorted((a, b) => newestFirst(a.created, b.created));
  const layers = layerSizes(images);
  const holders = new Map<string, number>();
  for (const image of images) {
    for (const { diffId } of image.layers) holders.set(diffId, (holders.get(diffId) ?? 0) + 1);
  }
  return {
    images: images.map((image) => ({
      image,
      shared: image.layers.reduce(
        (sum, { diffId }) => sum + ((holders.get(diffId) ?? 0) > 1 ? (layers.get(diffId) ?? 0) : 0),
        0,
      ),
      boxes: boxes.filter((box) => box.image_id === image.id).length,
    })),
    layersSize: [...layers.values()].reduce((sum, size) => sum + size, 0),
    boxes: await Promise.all(boxes.map(async (box) => ({ box, size: await boxSize(box) }))),
    volumes: await Promise.all(
      volumeNames(engine.layout).map(async (name) => ({
        name,
        links: usersOf(boxes, name).length,
        size: await treeSize(volumePaths(engine.layout, name).data),
      })),
    ),
    buildCache: await listBuildCache(engine, []),
  };
}

/** Bytes that a box's writable disk takes on the host. */
export async function boxSize(box: BoxRecord): Promise<number> {
  const disk = await stat(boxPaths(box.box_dir).scratch).catch(() => null);
  return disk === null ? 0 : disk.blocks * BLOCK;
}

/** Bytes of each layer by its uncompressed digest: its part in the image's size, by what it takes in the store. */
function layerSizes(images: readonly Image[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { layers, size } of images) {
    const stored = layers.reduce((sum, layer) => sum + layer.size, 0);
    for (const layer of layers)
      sizes.set(layer.diffId, Math.round((size * layer.size) / Math.max(stored, 1)));
  }
  return sizes;
}
