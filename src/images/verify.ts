/** Blobs whose bytes are proved against their digests. Loaded only when something is imported or built. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { A3sError, hasErrno } from '../errors.ts';
import type { Descriptor } from './config.ts';
import type { Layer } from './image.ts';
import { isDamage, unpacking } from './layers/compression.ts';
import { layerError } from './layers/limits.ts';
import { blobPath, brokenBlob } from './store.ts';

/** Each piece is a round trip through the thread pool. */
const PIECE_BYTES = 128 * 1024;

/** `sha256:…` and the number of bytes that passed. */
export interface Fingerprint {
  digest: string;
  size: number;
}

/** Passes a stream on and tells its fingerprint once it has ended. */
export function fingerprinting(done: (print: Fingerprint) => void) {
  return async function* pass(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of source) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    done({ digest: `sha256:${hash.digest('hex')}`, size });
  };
}

/** The fingerprint of a file. */
export async function fingerprintOf(path: string): Promise<Fingerprint> {
  let print: Fingerprint = { digest: '', size: 0 };
  await pipeline(
    createReadStream(path, { highWaterMark: PIECE_BYTES }),
    fingerprinting((value) => (print = value)),
    discard(),
  );
  return print;
}

/** @throws A3sError `image_broken` naming the blob when it is missing or altered. */
export async function verifyBlob(root: string, digest: string): Promise<void> {
  let print: Fingerprint;
  try {
    print = await fingerprintOf(blobPath(root, digest));
  } catch (cause) {
    throw brokenBlob(digest, hasErrno(cause, 'ENOENT') ? 'is missing' : 'cannot be read', cause);
  }
  if (print.digest !== digest) throw brokenBlob(digest, 'was altered');
}

/** Copies a blob from one layout to another, proving it on the way. A sound copy that is there already is kept. */
export async function copyBlob(from: string, to: string, blob: Descriptor): Promise<void> {
  const target = blobPath(to, blob.digest);
  const sound = await verifyBlob(to, blob.digest).then(
    () => true,
    () => false,
  );
  if (sound) return;
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const temporary = `${target}.tmp`;
  try {
    let print: Fingerprint = { digest: '', size: 0 };
    await pipeline(
      createReadStream(blobPath(from, blob.digest)),
      fingerprinting((value) => (print = value)),
      createWriteStream(temporary, { mode: 0o600, flush: true }),
    );
    if (print.digest !== blob.digest) throw brokenBlob(blob.digest, 'was altered');
    renameSync(temporary, target);
  } catch (cause) {
    throw hasErrno(cause, 'ENOENT') ? brokenBlob(blob.digest, 'is missing', cause) : cause;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Streams a layer's tar to `sink`, uncompressed, and proves both digests once all of it has passed: what `sink` was given counts only
 * when this has returned.
 * @returns the tar's size in bytes.
 * @throws A3sError `image_broken` naming the blob, `unsupported`; whatever `sink` fails with.
 */
export async function unpackLayer(
  root: string,
  layer: Pick<Layer, 'digest' | 'diffId'>,
  sink: Writable,
): Promise<number> {
  let packed: Fingerprint = { digest: '', size: 0 };
  let tar: Fingerprint = { digest: '', size: 0 };
  const source = createReadStream(blobPath(root, layer.digest), { highWaterMark: PIECE_BYTES });
  let failure: unknown = null;
  source.once('error', (error) => (failure = error));
  try {
    await pipeline(
      source,
      fingerprinting((value) => (packed = value)),
      unpacking(`layer ${layer.digest}`),
      fingerprinting((value) => (tar = value)),
      sink,
    );
  } catch (error) {
    if (hasErrno(failure, 'ENOENT')) throw brokenBlob(layer.digest, 'is missing', error);
    if (failure !== null) throw brokenBlob(layer.digest, 'cannot be read', error);
    const isSenseless = error instanceof A3sError && error.code === 'image_broken';
    if (!isSenseless && !isDamage(error)) throw error;
    // Bytes that changed are another matter than bytes that never made sense.
    await verifyBlob(root, layer.digest);
    throw isSenseless ? error : layerError(layer.digest, 'its compressed data is damaged');
  }
  if (packed.digest !== layer.digest) throw brokenBlob(layer.digest, 'was altered');
  if (tar.digest !== layer.diffId) throw brokenBlob(layer.digest, `does not unpack to ${layer.diffId}`);
  return tar.size;
}

/** Reads to the end and keeps nothing. */
export function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
