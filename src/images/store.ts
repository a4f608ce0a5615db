/** An OCI image layout on disk: oci-layout, index.json, blobs by digest (OCI image specification 1.1, image-layout.md). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { A3sError, hasErrno } from '../errors.ts';
import { isObject } from '../json.ts';
import { replaceFile } from '../state/replace-file.ts';
import { type Descriptor, parseDescriptor } from './config.ts';
import { canonicalTag, parseReference } from './reference.ts';

/** The whole name of an image with its tag, as containerd and Docker note it in an index. */
export const NAME_ANNOTATION = 'io.containerd.image.name';
/** The tag alone; what skopeo and umoci look for. */
export const TAG_ANNOTATION = 'org.opencontainers.image.ref.name';
/** Set on an image that came from the guest bundle, which replaces it when the bundle has another one. */
export const EMBEDDED_ANNOTATION = 'dev.a3s.image.embedded';
/** Bytes of the image's layers: of their files where that is known. */
export const SIZE_ANNOTATION = 'dev.a3s.image.size';

export const INDEX_MEDIA_TYPE = 'application/vnd.oci.image.index.v1+json';

/** What the file oci-layout says. */
export const LAYOUT_MARKER = '{"imageLayoutVersion":"1.0.0"}\n';

/** Where the blob with this digest lies in the layout at `root`. */
export function blobPath(root: string, digest: string): string {
  return join(root, 'blobs', ...digest.split(':'));
}

/**
 * The entries of a layout's index.json; none when there is no such file.
 * @throws A3sError `image_broken` when it is damaged.
 */
export function readIndex(root: string): Descriptor[] {
  const file = join(root, 'index.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw new A3sError('io', `cannot read ${file}: ${String(error)}`, { cause: error });
  }
  try {
    const index: unknown = JSON.parse(text);
    if (!isObject(index) || !Array.isArray(index['manifests'])) throw new Error('it has no manifests');
    return index['manifests'].map((entry, n) => parseDescriptor(entry, `manifests[${n}]`));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new A3sError('image_broken', `the image index ${file} is damaged: ${reason}`, {
      hint: 'remove the file to start with an empty image store; embedded images come back by themselves',
      cause,
    });
  }
}

/** Replaces a layout's index.json. Call it under the store's lock. */
export async function writeIndex(root: string, manifests: readonly Descriptor[]): Promise<void> {
  mkdirSync(join(root, 'blobs', 'sha256'), { recursive: true, mode: 0o700 });
  const marker = join(root, 'oci-layout');
  if (!existsSync(marker)) writeFileSync(marker, LAYOUT_MARKER);
  const file = join(root, 'index.json');
  const index = { schemaVersion: 2, mediaType: INDEX_MEDIA_TYPE, manifests };
  await replaceFile(file, `${file}.tmp`, `${JSON.stringify(index, null, 1)}\n`);
}

/** The whole name that an index entry gives its image, e.g. `docker.io/a3s/base:latest`; null when it gives none. */
export function nameOf(entry: Descriptor): string | null {
  const tag = entry.annotations[TAG_ANNOTATION];
  // Some tools put the whole name where the tag belongs.
  const name = entry.annotations[NAME_ANNOTATION] ?? (tag?.includes('/') === true ? tag : undefined);
  if (name === undefined) return null;
  try {
    return canonicalTag(parseReference(name));
  } catch {
    // Other tools put anything there.
    return null;
  }
}

/** Annotations that name an image in an index. */
export function nameAnnotations(name: string): Record<string, string> {
  return { [NAME_ANNOTATION]: name, [TAG_ANNOTATION]: parseReference(name).tag ?? '' };
}

/**
 * The JSON in a blob. Its size is checked here, its digest is not (see verify.ts).
 * @throws A3sError `image_broken` naming the blob.
 */
export function readJsonBlob(root: string, blob: Descriptor): unknown {
  const path = blobPath(root, blob.digest);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw brokenBlob(blob.digest, hasErrno(cause, 'ENOENT') ? 'is missing' : 'cannot be read', cause);
  }
  if (Buffer.byteLength(text) !== blob.size) throw brokenBlob(blob.digest, 'has the wrong size');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw brokenBlob(blob.digest, 'is not JSON', cause);
  }
}

/** The error for a blob that is not what its digest says. */
export function brokenBlob(digest: string, what: string, cause?: unknown): A3sError {
  return new A3sError('image_broken', `the image is damaged: blob ${digest} ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'remove the image and get it again',
  });
}
