/** An image in the store: its identity, its names, its configuration, its layers. */
import type { Layout } from '../state/layout.ts';
import { type Descriptor, type ImageConfig, parseConfig, parseManifest } from './config.ts';
import { familiarString, parseReference } from './reference.ts';
import { originsOf } from './store/entries.ts';
import { brokenBlob, EMBEDDED_ANNOTATION, nameOf, readJsonBlob, SIZE_ANNOTATION } from './store.ts';

export interface Layer extends Descriptor {
  /** Digest of the uncompressed layer. */
  diffId: string;
}

export interface Image {
  /** Digest of the configuration, `sha256:…`. */
  id: string;
  /** Digest of the manifest. */
  digest: string;
  /** As users write them, e.g. `a3s/base:latest`. */
  repoTags: string[];
  /** Where registries have it, e.g. `alpine@sha256:…`. */
  repoDigests: string[];
  /** RFC 3339; empty when the image does not say. */
  created: string;
  /** Bytes of the layers: of their files where that is known, else of the blobs. */
  size: number;
  /** It came with the guest bundle, which would bring it again. */
  embedded: boolean;
  config: ImageConfig;
  layers: Layer[];
}

/**
 * The image behind an index entry.
 * @throws A3sError `image_broken` naming the blob or the field.
 */
export function loadImage(root: string, entry: Descriptor, index: readonly Descriptor[]): Image {
  const manifest = parseManifest(readJsonBlob(root, entry));
  const config = parseConfig(readJsonBlob(root, manifest.config));
  if (config.diffIds.length !== manifest.layers.length) {
    throw brokenBlob(manifest.config.digest, 'lists another number of layers than its manifest');
  }
  const entries = index.filter(({ digest }) => digest === entry.digest);
  const layerBytes = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  return {
    ...indexed(entry, entries, layerBytes),
    id: manifest.config.digest,
    created: config.created,
    config,
    layers: manifest.layers.map((layer, n) => ({ ...layer, diffId: config.diffIds[n] ?? '' })),
  };
}

/** What an index says of an image itself. @param entries those of the image, one for each of its names. */
export function indexed(
  entry: Descriptor,
  entries: readonly Descriptor[],
  layerBytes: number,
): Pick<Image, 'digest' | 'repoTags' | 'repoDigests' | 'size' | 'embedded'> {
  const names = entries.map(nameOf).filter((name) => name !== null);
  const noted = Number(entry.annotations[SIZE_ANNOTATION]);
  return {
    digest: entry.digest,
    repoTags: names.map((name) => familiarString(parseReference(name))),
    repoDigests: [...new Set(entries.flatMap(originsOf))].map((origin) =>
      familiarString(parseReference(origin)),
    ),
    size: Number.isSafeInteger(noted) ? noted : layerBytes,
    embedded: entry.annotations[EMBEDDED_ANNOTATION] !== undefined,
  };
}

/** The lock that guards a change of the store's index. */
export function storeLock(layout: Layout): string {
  return `${layout.locksDir}/images.lock`;
}
