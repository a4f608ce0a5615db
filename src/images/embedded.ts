/** Images that the guest bundle ships: taken into the store when they are first needed, or when its copy is broken. */
import { join } from 'node:path';

import type { Layout } from '../state/layout.ts';
import { withLock } from '../state/lock.ts';
import { type Descriptor, parseManifest } from './config.ts';
import { loadImage, storeLock } from './image.ts';
import { canonicalTag, parseReference } from './reference.ts';
import {
  EMBEDDED_ANNOTATION,
  nameAnnotations,
  nameOf,
  readIndex,
  readJsonBlob,
  SIZE_ANNOTATION,
  writeIndex,
} from './store.ts';

const IMPORT_TIMEOUT_MS = 600_000;
/** The name of an embedded image whose index entry has a tag only. */
const DEFAULT_REPOSITORY = 'a3s/base';

/** An embedded image's index entry under its whole name. */
export interface Embedded {
  name: string;
  entry: Descriptor;
}

/** The images in the bundle; none when it has none. */
export function embeddedImages(bundleDir: string): Embedded[] {
  return readIndex(embeddedRoot(bundleDir)).map((entry) => ({
    name: nameOf(entry) ?? canonicalTag(parseReference(DEFAULT_REPOSITORY)),
    entry,
  }));
}

function embeddedRoot(bundleDir: string): string {
  return join(bundleDir, 'images');
}

/** True when the store should take `embedded`: it has no image of that name, or an older one from a bundle. */
export function isWanted(embedded: Embedded, index: readonly Descriptor[]): boolean {
  const stored = index.find((entry) => nameOf(entry) === embedded.name);
  if (stored === undefined) return true;
  return stored.annotations[EMBEDDED_ANNOTATION] !== undefined && stored.digest !== embedded.entry.digest;
}

/**
 * Copies an embedded image into the store, replacing what is broken there. Every blob is proved against its digest.
 * @throws A3sError `image_broken` naming the blob.
 */
export async function importEmbedded(layout: Layout, bundleDir: string, embedded: Embedded): Promise<void> {
  const { copyBlob, discard, unpackLayer } = await import('./verify.ts');
  const from = embeddedRoot(bundleDir);
  const to = layout.imagesDir;
  const { name, entry } = embedded;
  await withLock(
    storeLock(layout),
    async () => {
      await copyBlob(from, to, entry);
      const { config, layers } = parseManifest(readJsonBlob(to, entry));
      for (const blob of [config, ...layers]) await copyBlob(from, to, blob);
      let size = 0;
      for (const layer of loadImage(to, entry, []).layers) size += await unpackLayer(to, layer, discard());
      const annotations = {
        ...nameAnnotations(name),
        [EMBEDDED_ANNOTATION]: 'true',
        [SIZE_ANNOTATION]: String(size),
      };
      const others = readIndex(to).filter((other) => nameOf(other) !== name);
      await writeIndex(to, [...others, { ...entry, annotations }]);
    },
    { timeoutMs: IMPORT_TIMEOUT_MS },
  );
}
