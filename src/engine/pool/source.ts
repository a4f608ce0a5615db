/** What the boxes of a pool are made from, as its image's name means it now. */
import { A3sError } from '../../errors.ts';
import type { Descriptor } from '../../images/config.ts';
import { isImageId } from '../../images/find.ts';
import type { Image } from '../../images/image.ts';
import { ensureRootfs, type Rootfs } from '../../images/rootfs.ts';
import { canonicalTag, parseReference } from '../../images/reference.ts';
import { nameOf, readIndex } from '../../images/store.ts';
import { fitnessOf } from '../../runtime/warm/fitness.ts';
import { requireImage } from '../images.ts';
import type { Engine } from '../types.ts';
import type { PoolSpec } from './spec.ts';

export interface Source {
  image: Image;
  rootfs: Rootfs;
  fitness: string;
}

/** @throws A3sError `no_such_image`, `image_broken`. */
export async function sourceOf(engine: Engine, spec: PoolSpec): Promise<Source> {
  const image = await requireImage(engine, spec.image);
  const rootfs = await ensureRootfs(engine.layout, image, engine.bundleDir);
  const fitness = fitnessOf({ ...spec, rootfs: rootfs.digest }, engine.bundleDir);
  return { image, rootfs, fitness };
}

/**
 * The same some time later: of another image where a tag has moved.
 * @throws A3sError `no_such_image` when there is no such image any more, `image_broken`.
 */
export async function followSource(engine: Engine, spec: PoolSpec, { image }: Source): Promise<Source> {
  // Looking an embedded image up would bring it back.
  const index = readIndex(engine.layout.imagesDir);
  const isMeant = meantBy(spec.image, image.digest);
  if (!index.some(isMeant)) throw new A3sError('no_such_image', `No such image: ${spec.image}`);
  return sourceOf(engine, spec);
}

/** Of an image that was found: an ID and a digest mean it for ever, a tag whatever bears it. */
function meantBy(image: string, digest: string): (entry: Descriptor) => boolean {
  const reference = isImageId(image) ? null : parseReference(image);
  if (reference === null || reference.digest !== undefined) return (entry) => entry.digest === digest;
  const name = canonicalTag(reference);
  return (entry) => nameOf(entry) === name;
}
