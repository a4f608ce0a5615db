/** Layers on their way into the store and out of it. */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { Budget, errorOf } from '../../images/layers/limits.ts';
import { TarReader } from '../../images/layers/tar/reader.ts';
import { MediaType } from '../../images/manifest.ts';
import { cannotWrite } from '../../images/store/ingest.ts';
import { type Lease, spoolName } from '../../images/store/leases.ts';
import { blobPath } from '../../images/store.ts';
import { type Fingerprint, fingerprinting, unpackLayer } from '../../images/verify.ts';
import type { Layout } from '../../state/layout.ts';
import type { BuiltLayer } from './built-layer.ts';

/** The fastest one: docs/decisions/0007-build-cache.md has the figures. Another one gives other digests. */
const GZIP_LEVEL = 1;
/** Each piece is a round trip through the thread pool. */
const PIECE_BYTES = 128 * 1024;
/** How far whoever makes the tar may run ahead. */
const AHEAD_BYTES = 1024 * 1024;

/**
 * Takes a layer's tar, uncompressed, into the store; the same bytes always give the same blob.
 * @param produce writes the whole tar and does not end it. Where the store cannot go on, the sink is destroyed, and what it threw counts.
 * @returns null for a tar without entries.
 * @throws A3sError `io`, `image_broken` for what is no tar; the signal's reason; what `produce` throws.
 */
export async function storeLayer(
  layout: Layout,
  lease: Lease,
  produce: (sink: Writable) => Promise<void>,
  signal?: AbortSignal,
): Promise<BuiltLayer | null> {
  signal?.throwIfAborted();
  const directory = join(layout.ingestDir, spoolName());
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    const file = join(directory, 'layer');
    const sink = new PassThrough({ highWaterMark: AHEAD_BYTES });
    const contents = new Contents();
    let tar: Fingerprint = { digest: '', size: 0 };
    let blob: Fingerprint = { digest: '', size: 0 };
    const packed = pipeline(
      sink,
      contents.passing(),
      fingerprinting((print) => (tar = print)),
      createGzip({ level: GZIP_LEVEL, chunkSize: PIECE_BYTES }),
      fingerprinting((print) => (blob = print)),
      createWriteStream(file, { mode: 0o600, flush: true }),
      signal === undefined ? {} : { signal },
    );
    await together(sink, packed, produce, signal);
    if (contents.entries === 0) return null;
    await lease.hold([blob.digest]);
    adopt(layout, file, blob);
    return {
      mediaType: MediaType.ociLayerGzip,
      digest: blob.digest,
      size: blob.size,
      diffId: tar.digest,
      contentBytes: contents.bytes,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Waits for both ends; the first failure is the one that counts. */
async function together(
  sink: PassThrough,
  packed: Promise<void>,
  produce: (sink: Writable) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const produced = async (): Promise<void> => {
    try {
      await produce(sink);
      sink.end();
    } catch (error) {
      sink.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  };
  const failures: unknown[] = [];
  const noting = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => void failures.push(error));
  // Not awaited: a sink that is gone may leave `produce` waiting for ever.
  void noting(produced());
  await noting(packed);
  if (failures.length === 0) return;
  if (signal?.aborted === true) throw signal.reason;
  // One of the two ends only failed because the other one was gone.
  const cause = failures.find((error) => !isStreamGone(error)) ?? failures[0];
  throw isSystemError(cause) ? cannotWrite(cause) : cause;
}

function isStreamGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_STREAM_');
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && 'syscall' in error;
}

function adopt(layout: Layout, file: string, { digest, size }: Fingerprint): void {
  const target = blobPath(layout.imagesDir, digest);
  if (existsSync(target) && statSync(target).size === size) return;
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  renameSync(file, target);
}

/** What is in a tar, counted while it passes. */
class Contents {
  entries = 0;
  bytes = 0;

  /** A step of a pipeline. */
  passing() {
    const budget = new Budget();
    const reader = new TarReader(errorOf('of a build'), budget, {
      entry: ({ size }) => {
        this.entries += 1;
        this.bytes += size;
      },
      content: () => undefined,
    });
    return async function* pass(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of source) {
        reader.push(chunk);
        yield chunk;
      }
      reader.end();
    };
  }
}

/**
 * A layer's tar, uncompressed. Its digests are proved once all of it has been read: what was read before counts only then.
 * @throws A3sError `image_broken` naming the blob, while it is being read.
 */
export async function* readLayer(
  layout: Layout,
  layer: Pick<BuiltLayer, 'digest' | 'diffId'>,
): AsyncGenerator<Buffer> {
  const through = new PassThrough({ highWaterMark: AHEAD_BYTES });
  const unpacked = unpackLayer(layout.imagesDir, layer, through);
  // It is told below, if anybody reads so far.
  unpacked.catch(() => undefined);
  try {
    for await (const piece of through) yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
  } catch (error) {
    await unpacked;
    throw error;
  } finally {
    through.destroy();
  }
  await unpacked;
}
