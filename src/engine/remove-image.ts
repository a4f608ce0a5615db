/** `rmi`: names taken from images, and images that are left without any removed. */
import { createHash } from 'node:crypto';

import { A3sError } from '../errors.ts';
import { loadImage } from '../images/image.ts';
import { isImageId } from '../images/find.ts';
import { canonicalTag, familiarName, familiarString, parseReference } from '../images/reference.ts';
import { collectGarbage } from '../images/store/collect.ts';
import { originsIn, repositoryOf, withoutImage, withoutName, withOrigins } from '../images/store/entries.ts';
import { changeIndex } from '../images/store/transaction.ts';
import { nameOf, writeIndex } from '../images/store.ts';
import type { Descriptor } from '../images/config.ts';
import type { BoxRecord } from '../state/record.ts';
import { rootfsDigests } from '../images/rootfs.ts';
import { sweepImageTemplates } from '../runtime/templates/sweep.ts';
import { allBoxes, isUp } from './engine.ts';
import { tellImage } from './image-events.ts';
import { removableImage, type RemovableImage } from './removable-image.ts';
import type { Engine } from './types.ts';

/** What happened, in Docker's order and words. */
export type Removed = { untagged: string } | { deleted: string };

/**
 * Removes what `text` names: one name of an image, or, by its ID, the image with all its names. An image that a box was made from
 * stays until the box is removed; with `force` it loses its name meanwhile.
 * @throws A3sError `no_such_image`, `image_in_use` in Docker's words.
 */
export async function removeImage(
  engine: Engine,
  text: string,
  { force }: { force: boolean },
): Promise<Removed[]> {
  const image = await removableImage(engine, text);
  const boxes = (await allBoxes(engine)).filter((box) => box.image_id === image.id);
  const removed: Removed[] = [];
  const byId = isIdOf(text, image);
  await changeIndex(engine.layout, async (entries) => {
    const names = namesOf(entries, image);
    const doomed = byId ? names : names.filter((name) => name === tagIn(text));
    const last = names.every((name) => doomed.includes(name));
    if (byId) checkById(image, names, boxes, force);
    else if (last) checkByName(text, image, boxes, force);
    let left: Descriptor[] = [...entries];
    for (const name of doomed) {
      left = withoutName(left, name);
      removed.push({ untagged: familiarString(parseReference(name)) });
    }
    left = dropOrigins(left, image, text, removed);
    const isKept = !last || boxes.length > 0 || originsIn(left, image.digest).length > 0;
    if (isKept) return left;
    const rest = withoutImage(left, image.digest);
    // Written before anything is deleted: the index never leads to a blob that is gone.
    await writeIndex(engine.layout.imagesDir, rest);
    // A box that was made meanwhile keeps its image; one that is made from now on does not find it (see create.ts).
    if ((await allBoxes(engine)).some((box) => box.image_id === image.id)) return left;
    collectGarbage(engine.layout, rest);
    removed.push(...deletedWith(engine, image, rest));
    return null;
  });
  // A digest that no registry is known to have it under is no name that could be taken away.
  if (removed.length === 0) throw new A3sError('no_such_image', `No such image: ${text}`);
  for (const item of removed) {
    if ('untagged' in item) tellImage(engine.layout, 'untag', image.id, image.id);
    else if (item.deleted === image.id) tellImage(engine.layout, 'delete', image.id, image.id);
  }
  if (removed.some((item) => 'deleted' in item)) {
    await sweepImageTemplates(engine.layout, rootfsDigests(engine.layout));
  }
  return removed;
}

function isIdOf(text: string, image: RemovableImage): boolean {
  if (isImageId(text)) return true;
  return (
    image.id.startsWith(`sha256:${text.replace(/^sha256:/, '')}`) && !image.repoTags.includes(withTag(text))
  );
}

/** The whole name that a reference with a tag takes away; one with a digest takes none. */
function tagIn(text: string): string | null {
  const reference = parseReference(text);
  return reference.digest === undefined ? canonicalTag(reference) : null;
}

function withTag(text: string): string {
  return familiarString(parseReference(text));
}

function namesOf(entries: readonly Descriptor[], image: RemovableImage): string[] {
  return entries.filter(({ digest }) => digest === image.digest).flatMap((entry) => nameOf(entry) ?? []);
}

/** Registries' digests go with the last name in their repository, or when they are what was to be removed. */
function dropOrigins(
  entries: Descriptor[],
  image: RemovableImage,
  text: string,
  removed: Removed[],
): Descriptor[] {
  const repositories = new Set(namesOf(entries, image).map(repositoryOf));
  const asked = text.includes('@') ? parseReference(text) : undefined;
  const isGone = (origin: string): boolean => {
    const { domain, path, digest } = parseReference(origin);
    if (asked !== undefined) return asked.domain === domain && asked.path === path && asked.digest === digest;
    return !repositories.has(`${domain}/${path}`);
  };
  const origins = originsIn(entries, image.digest);
  const gone = origins.filter(isGone);
  removed.push(...gone.map((origin) => ({ untagged: familiarString(parseReference(origin)) })));
  return withOrigins(
    entries,
    image.digest,
    origins.filter((origin) => !gone.includes(origin)),
  );
}

function checkByName(text: string, image: RemovableImage, boxes: readonly BoxRecord[], force: boolean): void {
  const [box] = boxes;
  if (force || box === undefined) return;
  throw new A3sError(
    'image_in_use',
    `conflict: unable to remove repository reference "${text}" (must force) - container ${box.short_id} ` +
      `is using its referenced image ${shortId(image)}`,
  );
}

function checkById(
  image: RemovableImage,
  names: readonly string[],
  boxes: readonly BoxRecord[],
  force: boolean,
): void {
  const conflict = (how: string, why: string): A3sError =>
    new A3sError('image_in_use', `conflict: unable to delete ${shortId(image)} (${how}) - ${why}`);
  const running = boxes.find(isUp);
  if (running !== undefined) {
    throw conflict('cannot be forced', `image is being used by running container ${running.short_id}`);
  }
  if (force) return;
  const [box] = boxes;
  if (box !== undefined) {
    throw conflict('must be forced', `image is being used by stopped container ${box.short_id}`);
  }
  const repositories = new Set(names.map((name) => familiarName(parseReference(name))));
  if (repositories.size > 1) {
    throw conflict('must be forced', 'image is referenced in multiple repositories');
  }
}

function shortId(image: RemovableImage): string {
  return image.id.slice('sha256:'.length, 'sha256:'.length + 12);
}

/** The image's ID, and the chain IDs (OCI image specification, config.md) of the layers that no other image has, topmost first. */
function deletedWith(engine: Engine, image: RemovableImage, rest: readonly Descriptor[]): Removed[] {
  const shared = new Set<string>();
  for (const entry of rest) {
    try {
      const other = loadImage(engine.layout.imagesDir, entry, []);
      for (const part of [other.id, ...chainIds(other.config.diffIds)]) shared.add(part);
    } catch {
      // A damaged image shares nothing that could still be used.
    }
  }
  const own = [image.id, ...chainIds(image.diffIds).toReversed()].filter((part) => !shared.has(part));
  return own.map((deleted) => ({ deleted }));
}

function chainIds(diffIds: readonly string[]): string[] {
  const chains: string[] = [];
  for (const diffId of diffIds) {
    const below = chains.at(-1);
    chains.push(
      below === undefined
        ? diffId
        : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    );
  }
  return chains;
}
