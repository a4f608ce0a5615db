/** What removal has to know of an image: a damaged one, which nothing else can use, can still be removed. */
import { A3sError } from '../errors.ts';
import { type Descriptor, parseManifest } from '../images/config.ts';
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
 * The image that `text` means; a damaged one by its name alone.
 * @throws A3sError `no_such_image`, `usage`, and `image_broken` for a damaged image that is not named.
 */
export async function removableImage(engine: Engine, text: string): Promise<RemovableImage> {
  try {
    const { id, digest, repoTags, config } = await requireImage(engine, text);
    return { id, digest, repoTags, diffIds: config.diffIds };
  } catch (error) {
    if (!(error instanceof A3sError) || error.code !== 'image_broken') throw error;
    const name = canonicalTag(parseReference(text));
    const entry = readIndex(engine.layout.imagesDir).find((each) => nameOf(each) === name);
    if (entry === undefined) throw error;
    const repoTags = [familiarString(parseReference(name))];
    return { id: configOf(engine, entry), digest: entry.digest, repoTags, diffIds: [] };
  }
}

function configOf(engine: Engine, entry: Descriptor): string {
  try {
    return parseManifest(readJsonBlob(engine.layout.imagesDir, entry)).config.digest;
  } catch {
    return entry.digest;
  }
}
