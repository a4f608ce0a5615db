/** The JSON of an image in the store: for whoever makes another one from it. */
import { readFileSync } from 'node:fs';

import { type Manifest, parseManifest } from '../images/config.ts';
import type { Image } from '../images/image.ts';
import { parseJson } from '../images/manifest.ts';
import { blobPath, brokenBlob, readJsonBlob } from '../images/store.ts';
import { objectOr } from '../json.ts';
import type { Engine } from './types.ts';

/**
 * Manifest and configuration, the latter with what nobody here knows of.
 * @throws A3sError `image_broken` naming the blob
 */
export function documentsOf(
  { layout }: Engine,
  image: Pick<Image, 'digest'>,
): { manifest: Manifest; config: Record<string, unknown> } {
  const manifest = parseManifest(parseJson(bytesOf(layout.imagesDir, image.digest), image.digest));
  return { manifest, config: objectOr(readJsonBlob(layout.imagesDir, manifest.config)) };
}

function bytesOf(root: string, digest: string): Buffer {
  try {
    return readFileSync(blobPath(root, digest));
  } catch (cause) {
    throw brokenBlob(digest, 'is missing', cause);
  }
}
