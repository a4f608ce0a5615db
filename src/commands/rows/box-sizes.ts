/** Sizes for `inspect -s` and `ps -s`. */
import { stat } from 'node:fs/promises';

import { boxSize } from '../../engine/disk-usage.ts';
import { listImages } from '../../engine/images.ts';
import { inspectImage } from '../../engine/inspect.ts';
import type { inspectObject } from '../../engine/inspect.ts';
import type { Engine } from '../../engine/types.ts';

import type { BoxSizes } from './box-listing.ts';
import type { BoxRecord } from './records.ts';

/** What each box takes on its disk, and with its image. */
export async function boxSizes(engine: Engine, boxes: readonly BoxRecord[]): Promise<BoxSizes> {
  const images = new Map((await listImages(engine)).map(({ id, size }) => [id, size]));
  const pairs = boxes.map(async (box) => {
    const disk = await boxSize(box);
    return [box.id, { disk, root: disk + (images.get(box.image_id) ?? 0) }] as const;
  });
  return new Map(await Promise.all(pairs));
}

type Inspected = Awaited<ReturnType<typeof inspectObject>>;

const BLOCK = 512;

/**
 * Adds to a box what its writable disk takes on the host and the size of its whole root filesystem, in bytes.
 * An image has its size already.
 */
export async function withSizes(engine: Engine, object: Inspected): Promise<object> {
  if (!('Box' in object)) return object;
  const disk = await stat(object.GraphDriver.Data.WritableDisk).catch(() => null);
  const SizeRw = disk === null ? 0 : disk.blocks * BLOCK;
  const image = await inspectImage(engine, object.Image).catch(() => null);
  return { ...object, SizeRw, SizeRootFs: SizeRw + (image?.Size ?? 0) };
}
