/** `inspect`: one object as Docker's JSON shows it. */
import { A3sError } from '../errors.ts';
import { findBox } from './engine.ts';
import { requireImage } from './images.ts';
import { type ContainerJson, containerJson } from './container-json.ts';
import { type ImageJson, imageJson } from './image-json.ts';
import type { Engine } from './types.ts';

export type InspectType = 'container' | 'image';

/**
 * The box that `query` means, else the image; only the one when `type` says so.
 * @throws A3sError `no_such_box` (`No such object: Q`, or `No such container: Q` with the type), `no_such_image`.
 */
export async function inspectObject(
  engine: Engine,
  query: string,
  type?: InspectType,
): Promise<ContainerJson | ImageJson> {
  if (type === 'image') return inspectImage(engine, query);
  const box = await inspectBox(engine, query).catch((error: unknown) => orNull(error, 'no_such_box', type));
  if (box !== null) return box;
  const image = await inspectImage(engine, query).catch((error: unknown) => orNull(error, 'no_such_image'));
  if (image !== null) return image;
  throw new A3sError('no_such_box', `No such object: ${query}`);
}

/** A box in the shape of Docker's `GET /containers/{id}/json`, with its record under `Box`. Errors as in resolveBox. */
export async function inspectBox(engine: Engine, query: string): Promise<ContainerJson> {
  return containerJson(await findBox(engine, query));
}

/** An image in the shape of Docker's `GET /images/{name}/json`. Errors as in requireImage. */
export async function inspectImage(engine: Engine, query: string): Promise<ImageJson> {
  return imageJson(await requireImage(engine, query));
}

/** "Not found" means to look elsewhere, unless the caller asked for this type; so does what cannot name an image. */
function orNull(error: unknown, code: 'no_such_box' | 'no_such_image', type?: InspectType): null {
  const missing = error instanceof A3sError && (error.code === code || error.code === 'usage');
  if (missing && type === undefined) return null;
  throw error;
}
