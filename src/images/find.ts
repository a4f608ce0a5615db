/** Looking images up in the store. Nothing is hashed here: this is on the way of every run. */
import { A3sError } from '../errors.ts';
import type { Layout } from '../state/layout.ts';
import type { Descriptor } from './config.ts';
import { embeddedImages, importEmbedded, isWanted } from './embedded.ts';
import { type Image, indexed, loadImage } from './image.ts';
import { canonicalTag, familiarString, isDigest, parseReference } from './reference.ts';
import { originsOf } from './store/entries.ts';
import { nameOf, readIndex } from './store.ts';
import { type ImageSummary, type Kept, keptOf, readKept, writeKept } from './summaries.ts';

const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/**
 * The image that `text` means, as Docker looks it up: a whole ID, else a name with its tag or digest, else the start of
 * an ID. An embedded image is imported on first need, and again when its copy in the store is broken.
 * @returns null when the store has no such image.
 * @throws A3sError `usage` when the text is no reference, `image_broken` naming the blob.
 */
export async function findImage(layout: Layout, bundleDir: string, text: string): Promise<Image | null> {
  const found = isImageId(text) ? null : await findByName(layout, bundleDir, text);
  if (found !== null) return found;
  const [, digits] = ID_PREFIX.exec(text) ?? [];
  return digits === undefined ? null : await findById(layout, bundleDir, digits);
}

async function findByName(layout: Layout, bundleDir: string, text: string): Promise<Image | null> {
  const reference = parseReference(text);
  const name = canonicalTag(reference);
  const repository = name.slice(0, name.lastIndexOf(':') + 1);
  const origin = `${reference.domain}/${reference.path}@${reference.digest}`;
  const matches = (entry: Descriptor, entryName: string | null) =>
    reference.digest === undefined
      ? entryName === name
      : originsOf(entry).includes(origin) ||
        (entry.digest === reference.digest && entryName?.startsWith(repository) === true);

  const embedded = embeddedImages(bundleDir).find((image) => matches(image.entry, image.name));
  let index = readIndex(layout.imagesDir);
  if (embedded !== undefined && isWanted(embedded, index)) {
    await importEmbedded(layout, bundleDir, embedded);
    index = readIndex(layout.imagesDir);
  }
  const entry = index.find((candidate) => matches(candidate, nameOf(candidate)));
  return entry === undefined ? null : loadOrRepair(layout, bundleDir, index, entry);
}

/** A prefix that fits several images means none of them, as in Docker. */
async function findById(layout: Layout, bundleDir: string, digits: string): Promise<Image | null> {
  const summaries = await listSummaries(layout, bundleDir, () => {});
  const matches = summaries.filter((image) => image.id.startsWith(`sha256:${digits}`));
  if (new Set(matches.map(({ id }) => id)).size !== 1) return null;
  const index = readIndex(layout.imagesDir);
  const entry = index.find(({ digest }) => digest === matches[0]?.digest);
  return entry === undefined ? null : loadOrRepair(layout, bundleDir, index, entry);
}

/**
 * Every image of the store, embedded ones included, one entry an image however many names it has.
 * @param warn told of damaged images, which are left out.
 */
export async function listImages(
  layout: Layout,
  bundleDir: string,
  warn: (error: A3sError) => void,
): Promise<Image[]> {
  const index = await wholeIndex(layout, bundleDir);
  const images: Image[] = [];
  for (const [entry] of byDigest(index).values()) {
    const image = await loadOrWarn(layout, bundleDir, index, entry, warn);
    if (image !== null) images.push(image);
  }
  return images;
}

/** The same as lists need them: of images that were listed before no blob is opened. */
export async function listSummaries(
  layout: Layout,
  bundleDir: string,
  warn: (error: A3sError) => void,
): Promise<ImageSummary[]> {
  const index = await wholeIndex(layout, bundleDir);
  const before = readKept(layout);
  const kept = new Map<string, Kept>();
  const summaries: ImageSummary[] = [];
  for (const [digest, entries] of byDigest(index)) {
    const [entry] = entries;
    const image = before.has(digest) ? null : await loadOrWarn(layout, bundleDir, index, entry, warn);
    const known = image === null ? before.get(digest) : keptOf(image);
    if (known === undefined || entry === undefined) continue;
    kept.set(digest, known);
    const { id, created, labels, layerBytes } = known;
    summaries.push({ ...indexed(entry, entries, layerBytes), id, created, config: { labels } });
  }
  const isNew = kept.size !== before.size || [...kept.keys()].some((digest) => !before.has(digest));
  if (isNew) writeKept(layout, kept);
  return summaries;
}

/** @returns null for an image that is damaged, or has gone since the index was read. */
async function loadOrWarn(
  layout: Layout,
  bundleDir: string,
  index: readonly Descriptor[],
  entry: Descriptor | undefined,
  warn: (error: A3sError) => void,
): Promise<Image | null> {
  if (entry === undefined) return null;
  try {
    return await loadOrRepair(layout, bundleDir, index, entry);
  } catch (error) {
    if (!(error instanceof A3sError) || error.code !== 'image_broken') throw error;
    warn(error);
    return null;
  }
}

/** The index with every embedded image in it. */
async function wholeIndex(layout: Layout, bundleDir: string): Promise<Descriptor[]> {
  const index = readIndex(layout.imagesDir);
  const wanted = embeddedImages(bundleDir).filter((image) => isWanted(image, index));
  for (const image of wanted) await importEmbedded(layout, bundleDir, image);
  return wanted.length > 0 ? readIndex(layout.imagesDir) : index;
}

function byDigest(index: readonly Descriptor[]): Map<string, Descriptor[]> {
  return Map.groupBy(index, ({ digest }) => digest);
}

/** @returns null when another command has removed the image since the index was read. */
async function loadOrRepair(
  layout: Layout,
  bundleDir: string,
  index: readonly Descriptor[],
  entry: Descriptor,
): Promise<Image | null> {
  try {
    return loadImage(layout.imagesDir, entry, index);
  } catch (error) {
    if (!(error instanceof A3sError) || error.code !== 'image_broken') throw error;
    const isGone = !readIndex(layout.imagesDir).some(({ digest }) => digest === entry.digest);
    if (isGone) return null;
    const embedded = embeddedImages(bundleDir).find((image) => image.entry.digest === entry.digest);
    if (embedded === undefined) throw damaged(entry, error);
    await importEmbedded(layout, bundleDir, embedded);
  }
  return loadImage(layout.imagesDir, entry, readIndex(layout.imagesDir));
}

/** The same error with the image's name, by which it can be removed. */
function damaged(entry: Descriptor, error: A3sError): A3sError {
  const name = nameOf(entry);
  const what = name === null ? entry.digest : familiarString(parseReference(name));
  return new A3sError('image_broken', `${what}: ${error.message}`, {
    cause: error,
    hint:
      name === null ? 'remove it: a3s-box image prune' : `remove it: a3s-box rmi ${what}, and get it again`,
  });
}

/** True when `text` is a whole image ID, with or without `sha256:`. */
export function isImageId(text: string): boolean {
  return isDigest(text) || /^[0-9a-f]{64}$/.test(text);
}
