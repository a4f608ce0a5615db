/** The images of an archive: an OCI image layout (image-layout.md), or Docker's own form with a manifest.json. */
import { closeSync, openSync, readSync } from 'node:fs';

import { A3sError } from '../../errors.ts';
import { isObject, objectOr } from '../../json.ts';
import { type Descriptor, parseDescriptor, parseManifest } from '../config.ts';
import { chooseManifest, imageManifest, isIndex, MediaType } from '../manifest.ts';
import type { Platform } from '../platform.ts';
import { canonicalTag, parseReference } from '../reference.ts';
import { NAME_ANNOTATION, TAG_ANNOTATION } from '../store.ts';
import type { Archive } from './read.ts';
import { readDocument, type Spool, type SpooledFile } from './spool.ts';

const MAX_IMAGES = 10_000;

export interface ArchivedImage {
  /** Of its manifest. */
  entry: Descriptor;
  /** All that it needs: the manifest, the configuration, the layers. */
  files: SpooledFile[];
  /** Whole names with their tags. */
  names: string[];
  /** The manifest was made here: another one for the same configuration, the image's ID, does as well. */
  made: boolean;
}

/**
 * What is in the archive, as far as it is for the platform.
 * @throws A3sError `image_broken` naming the file or the field.
 */
export function contentsOf(archive: Archive, spool: Spool, platform: Platform): ArchivedImage[] {
  const index = archive.file('index.json');
  const list = archive.file('manifest.json');
  if (index === undefined && list === undefined) {
    throw new A3sError(
      'image_broken',
      'the archive holds no image: it has neither index.json nor manifest.json',
      {
        hint: 'a root filesystem is taken in by: a3s-box import',
      },
    );
  }
  const images =
    index === undefined || (list !== undefined && !isWhole(archive, index))
      ? fromManifestList(archive, spool, list)
      : fromIndex(archive, index, platform);
  if (images.length === 0) throw new A3sError('image_broken', 'the archive holds no image');
  return images;
}

/** Some tools write an index that leads to blobs that are not there, beside a manifest.json that does not. */
function isWhole(archive: Archive, index: SpooledFile): boolean {
  const entries: unknown = objectOr(readDocument(index, 'index.json'))['manifests'];
  return (
    Array.isArray(entries) &&
    entries.every(
      (entry, n) => archive.file(blobName(parseDescriptor(entry, `manifests[${n}]`).digest)) !== undefined,
    )
  );
}

function fromIndex(archive: Archive, index: SpooledFile, platform: Platform): ArchivedImage[] {
  const entries: unknown = objectOr(readDocument(index, 'index.json'))['manifests'];
  if (!Array.isArray(entries) || entries.length > MAX_IMAGES) {
    throw new A3sError('image_broken', 'the image has a bad field: index.json manifests');
  }
  const images = new Map<string, ArchivedImage>();
  for (const [n, value] of entries.entries()) {
    const named = parseDescriptor(value, `index.json manifests[${n}]`);
    const { entry, document } = manifestOf(archive, named, platform);
    const { config, layers } = imageManifest(document);
    const files = [entry, config, ...layers].map((blob) => blobOf(archive, blob));
    const known = images.get(entry.digest);
    const names = [...(known?.names ?? []), ...namesOf(named)];
    images.set(entry.digest, { entry, files, names, made: false });
  }
  return [...images.values()];
}

/** The image's own manifest, behind an index of platforms where there is one. */
function manifestOf(
  archive: Archive,
  named: Descriptor,
  platform: Platform,
): { entry: Descriptor; document: unknown } {
  const document = readDocument(blobOf(archive, named), `blob ${named.digest}`);
  if (!isIndex(named.mediaType, document)) return { entry: named, document };
  const chosen = chooseManifest(document, platform, 'the image');
  return { entry: chosen, document: readDocument(blobOf(archive, chosen), `blob ${chosen.digest}`) };
}

function blobOf(archive: Archive, { digest, size }: Descriptor): SpooledFile {
  const file = archive.file(blobName(digest));
  if (file === undefined) throw new A3sError('image_broken', `the archive lacks blob ${digest}`);
  if (file.digest !== digest || file.size !== size) {
    throw new A3sError('image_broken', `the archive is damaged: blob ${digest} was altered`);
  }
  return file;
}

function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** A tag alone names nothing, because nobody knows of which repository. */
function namesOf({ annotations }: Descriptor): string[] {
  const tag = annotations[TAG_ANNOTATION];
  const name = annotations[NAME_ANNOTATION] ?? (tag !== undefined && /[:/]/.test(tag) ? tag : undefined);
  return name === undefined ? [] : [wholeName(name)];
}

function wholeName(name: string): string {
  try {
    return canonicalTag(parseReference(name));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new A3sError('image_broken', `the archive has a bad name, ${JSON.stringify(name)}: ${reason}`, {
      cause,
    });
  }
}

/** Docker's form: the configuration and the layers by file name; the manifest is made here. */
function fromManifestList(archive: Archive, spool: Spool, list: SpooledFile | undefined): ArchivedImage[] {
  const items = list === undefined ? [] : readDocument(list, 'manifest.json');
  if (!Array.isArray(items) || items.length > MAX_IMAGES) {
    throw new A3sError('image_broken', 'the image has a bad field: manifest.json');
  }
  return items.map((value: unknown, n) => {
    const item = isObject(value) ? value : {};
    const config = fileOf(archive, item['Config'], `manifest.json[${n}].Config`);
    const layers = strings(item['Layers'], `manifest.json[${n}].Layers`).map((name) =>
      fileOf(archive, name, `manifest.json[${n}].Layers`),
    );
    const manifest = spool.add(Buffer.from(JSON.stringify(madeManifest(config, layers))));
    parseManifest(readDocument(manifest, 'the manifest'));
    return {
      entry: {
        mediaType: MediaType.ociManifest,
        digest: manifest.digest,
        size: manifest.size,
        annotations: {},
      },
      files: [manifest, config, ...layers],
      made: true,
      names: strings(item['RepoTags'] ?? [], `manifest.json[${n}].RepoTags`).map(wholeName),
    };
  });
}

function madeManifest(config: SpooledFile, layers: readonly SpooledFile[]): unknown {
  return {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { mediaType: MediaType.ociConfig, digest: config.digest, size: config.size },
    layers: layers.map(({ path, digest, size }) => ({ mediaType: layerType(path), digest, size })),
  };
}

/** By the first bytes, as Docker tells it. */
export function layerType(path: string): string {
  const head = Buffer.alloc(4);
  const file = openSync(path, 'r');
  try {
    readSync(file, head);
  } finally {
    closeSync(file);
  }
  if (head[0] === 0x1f && head[1] === 0x8b) return MediaType.ociLayerGzip;
  return head.readUInt32LE() === 0xfd2fb528 ? MediaType.ociLayerZstd : MediaType.ociLayer;
}

function fileOf(archive: Archive, name: unknown, field: string): SpooledFile {
  const file = typeof name === 'string' ? archive.file(name) : undefined;
  if (file === undefined) throw new A3sError('image_broken', `the archive lacks what ${field} names`);
  return file;
}

function strings(value: unknown, field: string): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new A3sError('image_broken', `the image has a bad field: ${field}`);
  }
  return value;
}
