/** Names of pools: one for each image name, however it is written. */
import { isImageId } from '../../images/find.ts';
import type { Image } from '../../images/image.ts';
import { familiarImage } from '../images.ts';

const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/**
 * What the pool of this image is called: the image's name with its tag or digest, or its whole ID where `text` is an ID or the start
 * of one.
 * @param image the one that `text` means
 */
export function poolName(text: string, image: Image): string {
  const name = isImageId(text) ? image.id : familiarImage(text);
  return name.includes('@') || image.repoTags.includes(name) ? name : image.id;
}

/**
 * Those of the pools' names that `text` means: the name that it spells, else those of the IDs that it begins.
 * @throws A3sError `usage` when it is neither.
 */
export function poolsNamed(text: string, names: readonly string[]): string[] {
  const [, digits] = ID_PREFIX.exec(text) ?? [];
  const whole = isImageId(text) ? null : familiarImage(text);
  const spelt = names.filter((name) => name === whole);
  if (spelt.length > 0 || digits === undefined) return spelt;
  return names.filter((name) => name.startsWith(`sha256:${digits}`));
}
