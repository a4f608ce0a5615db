/** `inspect`: one object as Docker's JSON shows it. */
import { A3sError } from '../errors.ts';
import { readHealthLog } from '../state/health-log.ts';
import { boxPaths } from '../state/layout.ts';
import { findBox } from './engine.ts';
import { requireImage } from './images.ts';
import { type ContainerJson, containerJson } from './container-json.ts';
import { type ImageJson, imageJson } from './image-json.ts';
import type { Engine } from './types.ts';
import type { VolumeJson } from './volumes/volume-json.ts';

export type InspectType = 'container' | 'image' | 'volume';

/**
 * The box that `query` means, else the image, else the volume; only the one when `type` says so.
 * @throws A3sError `no_such_box` (`No such object: Q`, or `No such container: Q` with the type), `no_such_image`,
 * `no_such_volume`.
 */
export async function inspectObject(
  engine: Engine,
  query: string,
  type?: InspectType,
): Promise<ContainerJson | ImageJson | VolumeJson> {
  if (type === 'volume') return inspectVolume(engine, query);
  if (type === 'image') return inspectImage(engine, query);
  const box = await inspectBox(engine, query).catch((error: unknown) => orNull(error, 'no_such_box', type));
  if (box !== null) return box;
  const image = await inspectImage(engine, query).catch((error: unknown) => orNull(error, 'no_such_image'));
  if (image !== null) return image;
  const volume = await volumeOrNull(engine, query);
  if (volume !== null) return volume;
  throw new A3sError('no_such_box', `No such object: ${query}`);
}

/** Boxes and images have no need of what volumes are made of. */
async function inspectVolume(engine: Engine, name: string): Promise<VolumeJson> {
  const volumes = await import('./volumes/volumes.ts');
  return volumes.inspectVolume(engine, name);
}

function volumeOrNull(engine: Engine, name: string): Promise<VolumeJson | null> {
  return inspectVolume(engine, name).catch((error: unknown) => orNull(error, 'no_such_volume'));
}

/** A box in the shape of Docker's `GET /containers/{id}/json`, with its record under `Box`. Errors as in resolveBox. */
export async function inspectBox(engine: Engine, query: string): Promise<ContainerJson> {
  const box = await findBox(engine, query);
  return containerJson(box, box.health === null ? undefined : readHealthLog(boxPaths(box.box_dir).healthLog));
}

/** An image in the shape of Docker's `GET /images/{name}/json`. Errors as in requireImage. */
export async function inspectImage(engine: Engine, query: string): Promise<ImageJson> {
  return imageJson(await requireImage(engine, query));
}

/** "Not found" means to look elsewhere, unless the caller asked for this type; so does what cannot name an image. */
function orNull(
  error: unknown,
  code: 'no_such_box' | 'no_such_image' | 'no_such_volume',
  type?: InspectType,
): null {
  const missing = error instanceof A3sError && (error.code === code || error.code === 'usage');
  if (missing && type === undefined) return null;
  throw error;
}
