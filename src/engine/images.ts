/** Images, as the verbs mean them. */
import { A3sError } from '../errors.ts';
import { findImage, isImageId, listImages as storedImages } from '../images/find.ts';
import type { Image } from '../images/image.ts';
import { familiarString, parseReference } from '../images/reference.ts';
import { newestFirst } from './newest-first.ts';
import type { Engine } from './types.ts';

/** Every image in the store, newest first. */
export async function listImages(engine: Engine): Promise<Image[]> {
  const images = await storedImages(engine.layout, engine.bundleDir);
  return images.toSorted((a, b) => newestFirst(a.created, b.created));
}

/**
 * The image that `text` means.
 * @throws A3sError `no_such_image` naming it as Docker does, with its tag; `usage` when it is no reference.
 */
export async function requireImage(engine: Engine, text: string): Promise<Image> {
  const image = await findImage(engine.layout, engine.bundleDir, text);
  if (image !== null) return image;
  throw new A3sError(
    'no_such_image',
    `No such image: ${isImageId(text) ? text : familiarString(parseReference(text))}`,
    {
      hint: 'pulling from a registry is not supported yet; `a3s-box images` lists what is there',
    },
  );
}
