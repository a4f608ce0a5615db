/** An archive of images: an OCI image layout in a tar, with Docker's manifest.json and repositories beside it. */
import { createReadStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Layout } from '../../state/layout.ts';
import { type Descriptor, parseManifest } from '../config.ts';
import { END_OF_ARCHIVE, headersOf, paddingAfter } from '../layers/tar/writer.ts';
import type { EntryType, TarEntry } from '../layers/tar/entry.ts';
import { familiarName, familiarString, parseReference } from '../reference.ts';
import {
  blobPath,
  brokenBlob,
  INDEX_MEDIA_TYPE,
  LAYOUT_MARKER,
  nameAnnotations,
  readJsonBlob,
} from '../store.ts';
import { type Fingerprint, fingerprinting } from '../verify.ts';

const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;

export interface SavedImage {
  /** Of its manifest. */
  entry: Descriptor;
  /** Whole names with their tags. */
  names: string[];
}

/**
 * Writes the images to `sink`, which is left open. Every blob is proved on the way; the same images give the same bytes.
 * @throws A3sError `image_broken` naming the blob, and what the sink fails with.
 */
export async function writeArchive(
  layout: Layout,
  images: readonly SavedImage[],
  sink: Writable,
  signal: AbortSignal,
): Promise<void> {
  const root = layout.imagesDir;
  const documents = documentsOf(root, images);
  const blobs = new Map<string, Descriptor>();
  for (const { entry } of images) {
    const { config, layers } = parseManifest(readJsonBlob(root, entry));
    for (const blob of [entry, config, ...layers]) blobs.set(blob.digest, blob);
  }
  const pieces = async function* archive(): AsyncGenerator<Buffer> {
    yield header('blobs/', 'directory', 0);
    yield header('blobs/sha256/', 'directory', 0);
    for (const blob of [...blobs.values()].toSorted((a, b) => (a.digest < b.digest ? -1 : 1))) {
      yield header(`blobs/${blob.digest.replace(':', '/')}`, 'file', blob.size);
      yield* content(root, blob);
      yield paddingAfter(blob.size);
    }
    for (const [name, text] of documents) {
      const bytes = Buffer.from(text);
      yield Buffer.concat([header(name, 'file', bytes.length), bytes, paddingAfter(bytes.length)]);
    }
    yield END_OF_ARCHIVE;
  };
  await pipeline(pieces, sink, { end: false, signal });
}

async function* content(root: string, { digest, size }: Descriptor): AsyncGenerator<Buffer> {
  if (size === 0) return;
  let print: Fingerprint = { digest: '', size: 0 };
  const read = fingerprinting((value) => (print = value));
  try {
    // Not a byte more than the header says, whatever the file holds.
    yield* read(createReadStream(blobPath(root, digest), { end: size - 1, highWaterMark: 256 * 1024 }));
  } catch (cause) {
    throw brokenBlob(digest, 'cannot be read', cause);
  }
  if (print.digest !== digest) throw brokenBlob(digest, 'was altered');
}

function documentsOf(root: string, images: readonly SavedImage[]): [name: string, text: string][] {
  const manifests = images.flatMap(({ entry: { mediaType, digest, size }, names }) => {
    const entry = { mediaType, digest, size };
    return names.length === 0
      ? [entry]
      : names.map((name) => ({ ...entry, annotations: nameAnnotations(name) }));
  });
  const index = { schemaVersion: 2, mediaType: INDEX_MEDIA_TYPE, manifests };
  const list = images.map(({ entry, names }) => {
    const { config, layers } = parseManifest(readJsonBlob(root, entry));
    const path = ({ digest }: Descriptor): string => `blobs/${digest.replace(':', '/')}`;
    const tags = names.map((name) => familiarString(parseReference(name)));
    return { Config: path(config), RepoTags: tags.length === 0 ? null : tags, Layers: layers.map(path) };
  });
  const documents: [string, string][] = [
    ['index.json', JSON.stringify(index)],
    ['manifest.json', JSON.stringify(list)],
    ['oci-layout', LAYOUT_MARKER],
  ];
  const repositories = repositoriesOf(root, images);
  if (Object.keys(repositories).length > 0) documents.push(['repositories', JSON.stringify(repositories)]);
  return documents;
}

/** Docker's oldest form: the topmost layer of each tag. */
function repositoriesOf(root: string, images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { entry, names } of images) {
    const top = parseManifest(readJsonBlob(root, entry)).layers.at(-1);
    for (const reference of top === undefined ? [] : names.map(parseReference)) {
      const tags = (repositories[familiarName(reference)] ??= {});
      tags[reference.tag ?? ''] = top?.digest.slice('sha256:'.length) ?? '';
    }
  }
  return repositories;
}

function header(path: string, type: EntryType, size: number): Buffer {
  const mode = type === 'directory' ? DIRECTORY_MODE : FILE_MODE;
  const nobody = { uid: 0, gid: 0, mtime: 0, major: 0, minor: 0, xattrs: [], sparse: null };
  const entry: TarEntry = { ...nobody, type, name: path, link: '', mode, size };
  // Such short names always fit.
  return headersOf(entry, path, '') ?? Buffer.alloc(0);
}
