/** Looking images up in the store. Nothing is hashed here: this is on the way of every run. */
import { A3sError } from '../errors.ts';
import type { Layout } from '../state/layout.ts';
import type { Descriptor } from './config.ts';
import { type Embedded, embeddedImages, importEmbedded, isWanted } from './embedded.ts';
import { type Image, loadImage } from './image.ts';
import { canonicalTag, isDigest, parseReference } from './reference.ts';
import { originsOf } from './store/entries.ts';
import { nameOf, readIndex } from './store.ts';

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
  return entry === undefined ? null : loadOrRepair(layout, bundleDir, index, entry, embedded);
}

async function findById(layout: Layout, bundleDir: string, digits: string): Promise<Image | null> {
  const images = await listImages(layout, bundleDir);
  const matches = images.filter((image) => image.id.startsWith(`sha256:${digits}`));
  return matches[0] ?? null;
}

/** Every image of the store, embedded ones included, one entry an image however many names it has. */
export async function listImages(layout: Layout, bundleDir: string): Promise<Image[]> {
  const embedded = embeddedImages(bundleDir);
  let index = readIndex(layout.imagesDir);
  const wanted = embedded.filter((image) => isWanted(image, index));
  for (const image of wanted) await importEmbedded(layout, bundleDir, image);
  if (wanted.length > 0) index = readIndex(layout.imagesDir);

  const images = new Map<string, Image>();
  for (const entry of index) {
    if (images.has(entry.digest)) continue;
    const origin = embedded.find((image) => image.entry.digest === entry.digest);
    images.set(entry.digest, await loadOrRepair(layout, bundleDir, index, entry, origin));
  }
  return [...images.values()];
}

async function loadOrRepair(
  layout: Layout,
  bundleDir: string,
  index: readonly Descriptor[],
  entry: Descriptor,
  embedded: Embedded | undefined,
): Promise<Image> {
  try {
    return loadImage(layout.imagesDir, entry, index);
  } catch (error) {
    const broken = error instanceof A3sError && error.code === 'image_broken';
    if (!broken || embedded === undefined || embedded.entry.digest !== entry.digest) throw error;
  }
  await importEmbedded(layout, bundleDir, embedded);
  return loadImage(layout.imagesDir, entry, readIndex(layout.imagesDir));
}

/** True when `text` is a whole image ID, with or without `sha256:`. */
export function isImageId(text: string): boolean {
  return isDigest(text) || /^[0-9a-f]{64}$/.test(text);
}
