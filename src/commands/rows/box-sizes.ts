/** Sizes for `inspect -s`. */
import { stat } from 'node:fs/promises';

import { inspectImage } from '../../engine/inspect.ts';
import type { inspectObject } from '../../engine/inspect.ts';
import type { Engine } from '../../engine/types.ts';

type Inspected = Awaited<ReturnType<typeof inspectObject>>;

const BLOCK = 512;

/**
 * Adds to a box what its writable disk takes on the host and the size of its whole root filesystem, in bytes.
 * An image has its size already.
 */
export async function withSizes(engine: Engine, object: Inspected): Promise<object> {
  if (!('GraphDriver' in object)) return object;
  const disk = await stat(object.GraphDriver.Data.WritableDisk).catch(() => null);
  const SizeRw = disk === null ? 0 : disk.blocks * BLOCK;
  const image = await inspectImage(engine, object.Image).catch(() => null);
  return { ...object, SizeRw, SizeRootFs: SizeRw + (image?.Size ?? 0) };
}
