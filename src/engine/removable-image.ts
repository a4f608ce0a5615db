/** What removal has to know of an image: a damaged one, which nothing else can use, can still be removed. */
import { A3sError } from '../errors.ts';
import { type Descriptor, parseManifest } from '../images/config.ts';
import { isImageId } from '../images/find.ts';
import { loadImage } from '../images/image.ts';
import { canonicalTag, familiarString, parseReference } from '../images/reference.ts';
import { nameOf, readIndex, readJsonBlob } from '../images/store.ts';
import { requireImage } from './images.ts';
import type { Engine } from './types.ts';

export interface RemovableImage {
  /** Digest of the configuration, or of the manifest where that cannot be read. */
  id: string;
  /** Digest of the manifest. */
  digest: string;
  /** As users write them. */
  repoTags: readonly string[];
  /** Digests of the uncompressed layers, lowest first; none where they cannot be read. */
  diffIds: readonly string[];
}

/**
 * The image that `text` means; a damaged one by its name, or its manifest's digest.
 * @throws A3sError `no_such_image`, `usage`.
 */
export async function removableImage(engine: Engine, text: string): Promise<RemovableImage> {
  try {
    const { id, digest, repoTags, config } = await requireImage(engine, text);
    return { id, digest, repoTags, diffIds: config.diffIds };
  } catch (error) {
    if (!(error instanceof A3sError) || !['image_broken', 'no_such_image'].includes(error.code)) throw error;
    const entries = readIndex(engine.layout.imagesDir);
    const entry = entries.find((each) => isMeant(each, text) && isDamaged(engine, each));
    if (entry === undefined) throw error;
    const name = nameOf(entry);
    const repoTags = name === null ? [] : [familiarString(parseReference(name))];
    return { id: configOf(engine, entry), digest: entry.digest, repoTags, diffIds: [] };
  }
}

function isMeant(entry: Descriptor, text: string): boolean {
  const digits = text.replace(/^sha256:/, '');
  if (/^[0-9a-f]{12,64}$/.test(digits) && entry.digest.startsWith(`sha256:${digits}`)) return true;
  return !isImageId(text) && nameOf(entry) === canonicalTag(parseReference(text));
}

/** True for an index entry whose manifest or configuration cannot be read. */
export function isDamaged(engine: Engine, entry: Descriptor): boolean {
  try {
    loadImage(engine.layout.imagesDir, entry, []);
    return false;
  } catch {
    return true;
  }
}

function configOf(engine: Engine, entry: Descriptor): string {
  try {
    return parseManifest(readJsonBlob(engine.layout.imagesDir, entry)).config.digest;
  } catch {
    return entry.digest;
  }
}
