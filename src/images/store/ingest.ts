/**
 * Blobs on their way into the store. What has arrived lies in `ingest/<hex>` until the blob is whole and proved; a download that
 * breaks off, or is killed, goes on there. One process at a time works on a blob: others wait and find it done.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { blobPath } from '../store.ts';

/** A whole download, and the wait for somebody else's: bounded by the download's own deadlines. */
const WAIT_MS = 24 * 3600 * 1000;
const PAUSE_MS = 100;
/** Blobs share locks by the first byte of their digest, so that locks need no cleaning up. */
const LOCK_DIGITS = 2;

/** Where the bytes of a blob go, in order. */
export interface BlobWriter {
  /** Bytes that are there already. */
  readonly offset: number;
  write(chunk: Buffer): Promise<void>;
  /** Throws away what is there: the sender cannot go on from the offset. */
  restart(): Promise<void>;
}

export interface IngestOptions {
  /** `sha256:…`. */
  digest: string;
  /** Bytes; more are refused. */
  size: number;
  /** Ends the wait for another process that brings the same blob. */
  signal?: AbortSignal;
}

/**
 * Brings a blob into the store unless it is there. `fill` writes the bytes from `offset` on; when it throws, what has arrived stays
 * for the next try.
 * @returns whether the blob was missing.
 * @throws A3sError `image_broken` when the bytes are not the blob's, `io` when they cannot be kept, and what `fill` throws.
 */
export async function ingestBlob(
  layout: Layout,
  { digest, size, signal }: IngestOptions,
  fill: (writer: BlobWriter) => Promise<void>,
): Promise<boolean> {
  const target = blobPath(layout.imagesDir, digest);
  if (hasBlob(layout, digest, size)) return false;
  const hex = digest.slice('sha256:'.length);
  const lock = join(layout.locksDir, `blob-${hex.slice(0, LOCK_DIGITS)}.lock`);
  return withLock(
    lock,
    async () => {
      if (hasBlob(layout, digest, size)) return false;
      mkdirSync(layout.ingestDir, { recursive: true, mode: 0o700 });
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      const partial = join(layout.ingestDir, hex);
      await using writer = await PartialFile.open(partial, size);
      try {
        await fill(writer);
        writer.prove(digest);
      } catch (error) {
        // Going on from wrong bytes would never end well.
        if (isBroken(error)) await rm(partial, { force: true });
        throw error;
      }
      await writer.flush();
      renameSync(partial, target);
      return true;
    },
    { timeoutMs: WAIT_MS, pauseMs: PAUSE_MS, ...(signal === undefined ? {} : { signal }) },
  );
}

/** True for the error of bytes that are not the blob's. */
export function isBroken(error: unknown): error is A3sError {
  return error instanceof A3sError && error.code === 'image_broken';
}

/** True when the store has the blob in its right size; its bytes were proved when it came, and are again when they are used. */
export function hasBlob(layout: Layout, digest: string, size: number): boolean {
  return statSync(blobPath(layout.imagesDir, digest), { throwIfNoEntry: false })?.size === size;
}

class PartialFile implements BlobWriter, AsyncDisposable {
  readonly #file: FileHandle;
  readonly #limit: number;
  #hash: Hash;
  #offset = 0;

  private constructor(file: FileHandle, limit: number) {
    this.#file = file;
    this.#limit = limit;
    this.#hash = createHash('sha256');
  }

  /** Opens the file and reads what an earlier try left in it. */
  static async open(path: string, limit: number): Promise<PartialFile> {
    const partial = new PartialFile(await open(path, 'a+', 0o600), limit);
    try {
      for await (const chunk of createReadStream(path)) partial.#count(chunk);
      if (partial.#offset > limit) await partial.restart();
      return partial;
    } catch (error) {
      await partial.#file.close();
      throw error;
    }
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#offset + chunk.length > this.#limit) {
      throw new A3sError('image_broken', `more than the ${this.#limit} bytes that its manifest tells of`);
    }
    try {
      // Appended: a file that another try has cut short would otherwise get a hole.
      await this.#file.appendFile(chunk);
    } catch (cause) {
      throw cannotWrite(cause);
    }
    this.#count(chunk);
  }

  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash('sha256');
    this.#offset = 0;
  }

  /** @throws A3sError `image_broken` unless the bytes have this digest. */
  prove(digest: string): void {
    const actual = `sha256:${this.#hash.copy().digest('hex')}`;
    if (actual === digest) return;
    throw new A3sError('image_broken', `the ${this.#offset} bytes that came have the digest ${actual}`);
  }

  async flush(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (cause) {
      throw cannotWrite(cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #count(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#offset += chunk.length;
  }
}

/** The error of a write to the store that failed. */
export function cannotWrite(cause: unknown): A3sError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const hint = hasErrno(cause, 'ENOSPC', 'EDQUOT') ? { hint: 'free some disk space' } : {};
  return new A3sError('io', `cannot write to the image store: ${reason}`, { cause, ...hint });
}
