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
  /** Bytes of the layers, uncompressed where that is known. */
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
  return {
    id: manifest.config.digest,
    digest: entry.digest,
    repoTags: tagsOf(entry, index),
    repoDigests: digestsOf(entry, index),
    created: config.created,
    size: sizeOf(entry, manifest.layers),
    embedded: entry.annotations[EMBEDDED_ANNOTATION] !== undefined,
    config,
    layers: manifest.layers.map((layer, n) => ({ ...layer, diffId: config.diffIds[n] ?? '' })),
  };
}

function tagsOf(entry: Descriptor, index: readonly Descriptor[]): string[] {
  const names = index.filter((other) => other.digest === entry.digest).map(nameOf);
  return names.filter((name) => name !== null).map((name) => familiarString(parseReference(name)));
}

function digestsOf(entry: Descriptor, index: readonly Descriptor[]): string[] {
  const origins = index.filter((other) => other.digest === entry.digest).flatMap(originsOf);
  return [...new Set(origins)].map((origin) => familiarString(parseReference(origin)));
}

function sizeOf(entry: Descriptor, layers: readonly Descriptor[]): number {
  const noted = Number(entry.annotations[SIZE_ANNOTATION]);
  return Number.isSafeInteger(noted) ? noted : layers.reduce((sum, layer) => sum + layer.size, 0);
}

/** The lock that guards a change of the store's index. */
export function storeLock(layout: Layout): string {
  return `${layout.locksDir}/images.lock`;
}
