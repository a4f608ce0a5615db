/** `save`: images into an archive. */
import type { Writable } from 'node:stream';

import { A3sError } from '../errors.ts';
import { writeArchive, type SavedImage } from '../images/archive/write.ts';
import { canonicalTag, parseReference } from '../images/reference.ts';
import { findImage, isImageId, listImages } from '../images/find.ts';
import { repositoryOf } from '../images/store/entries.ts';
import { takeLease } from '../images/store/leases.ts';
import { brokenBlob, readIndex, readJsonBlob } from '../images/store.ts';
import type { Image } from '../images/image.ts';
import { parseManifest } from '../images/config.ts';
import { tellImage } from './image-events.ts';
import { damageTold } from './images.ts';
import type { Engine } from './types.ts';

/**
 * Writes the images that `names` mean to `sink`: under the tag that was named, all tags of a repository named without one, or no name
 * for an ID.
 * @param open called for the sink when all images have been found, so that nothing is made for one that is not there.
 * @throws A3sError `no_such_image`, `image_broken`.
 */
export async function saveImages(
  engine: Engine,
  names: readonly string[],
  open: () => Promise<Writable>,
  signal = new AbortController().signal,
): Promise<void> {
  using lease = takeLease(engine.layout);
  const saved = new Map<string, SavedImage>();
  const ids = new Set<string>();
  for (const name of names) {
    for (const { image, tag } of await imagesOf(engine, name)) {
      const known = saved.get(image.digest) ?? { entry: entryOf(engine, image), names: [] };
      if (tag !== null && !known.names.includes(tag)) known.names.push(tag);
      saved.set(image.digest, known);
      ids.add(image.id);
    }
  }
  await lease.hold([...saved.values()].flatMap(({ entry }) => digestsOf(engine, entry)));
  await writeArchive(engine.layout, [...saved.values()], await open(), signal);
  for (const id of ids) tellImage(engine.layout, 'save', id, id);
}

async function imagesOf(engine: Engine, name: string): Promise<{ image: Image; tag: string | null }[]> {
  if (!isImageId(name) && !/[:@][^/]*$/.test(name)) {
    const repository = repositoryOf(name);
    const images = await listImages(engine.layout, engine.bundleDir, damageTold(engine));
    const found = images.flatMap((image) =>
      image.repoTags
        .filter((tag) => repositoryOf(tag) === repository)
        .map((tag) => ({ image, tag: canonicalTag(parseReference(tag)) })),
    );
    if (found.length > 0) return found;
  }
  const image = await findImage(engine.layout, engine.bundleDir, name);
  // As it was given: Docker adds no tag here.
  if (image === null) throw new A3sError('no_such_image', `No such image: ${name}`);
  const tag = image.repoTags
    .map((each) => canonicalTag(parseReference(each)))
    .find((each) => isNamed(each, name));
  return [{ image, tag: tag ?? null }];
}

function isNamed(tag: string, name: string): boolean {
  return !isImageId(name) && !name.includes('@') && canonicalTag(parseReference(name)) === tag;
}

function entryOf(engine: Engine, image: Image): SavedImage['entry'] {
  const entry = readIndex(engine.layout.imagesDir).find(({ digest }) => digest === image.digest);
  if (entry === undefined) throw brokenBlob(image.digest, 'is missing');
  return entry;
}

function digestsOf(engine: Engine, entry: SavedImage['entry']): string[] {
  const { config, layers } = parseManifest(readJsonBlob(engine.layout.imagesDir, entry));
  return [entry, config, ...layers].map(({ digest }) => digest);
}
