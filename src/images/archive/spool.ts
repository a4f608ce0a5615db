/**
 * Files out of an archive on their way into the store: an archive comes through a pipe, and what a file is may be told only by one that
 * follows. They lie in a directory of this process that goes with it: the garbage collection removes that of a dead one.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { A3sError } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { cannotWrite } from '../store/ingest.ts';
import { spoolName } from '../store/leases.ts';
import { blobPath } from '../store.ts';

/** A manifest, a configuration, an index: what is held in memory. */
const MAX_DOCUMENT = 8 * 1024 * 1024;

export interface SpooledFile {
  path: string;
  size: number;
  /** `sha256:…` of its bytes. */
  digest: string;
}

/** Takes a file's bytes. */
export interface SpoolWriter {
  write(bytes: Buffer): void;
  end(): SpooledFile;
}

export class Spool implements Disposable {
  readonly #layout: Layout;
  readonly #directory: string;
  #files = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#directory = join(layout.ingestDir, spoolName());
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** @throws A3sError `io` when the disk is full; so does the writer. */
  create(): SpoolWriter {
    this.#files += 1;
    const path = join(this.#directory, String(this.#files));
    const hash = createHash('sha256');
    const file = openSync(path, 'wx', 0o600);
    let size = 0;
    return {
      write(bytes) {
        hash.update(bytes);
        try {
          for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        } catch (cause) {
          throw cannotWrite(cause);
        }
        size += bytes.length;
      },
      end() {
        fsyncSync(file);
        closeSync(file);
        return { path, size, digest: `sha256:${hash.digest('hex')}` };
      },
    };
  }

  /** A document of our own. */
  add(bytes: Buffer): SpooledFile {
    const writer = this.create();
    writer.write(bytes);
    return writer.end();
  }

  /** Moves files into the store as blobs. Whoever calls holds a lease on their digests. */
  adopt(files: readonly SpooledFile[]): void {
    for (const { path, digest } of files) {
      const target = blobPath(this.#layout.imagesDir, digest);
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      // Twice in one archive: the first time it was moved. One of the store's that was damaged is replaced.
      if (existsSync(path)) renameSync(path, target);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/**
 * The JSON in a spooled file.
 * @param what the file's name in its archive, for the error.
 * @throws A3sError `image_broken`.
 */
export function readDocument(file: SpooledFile, what: string): unknown {
  if (file.size > MAX_DOCUMENT) {
    throw new A3sError('image_broken', `${what} has ${file.size} bytes; at most ${MAX_DOCUMENT} are read`);
  }
  try {
    return JSON.parse(readFileSync(file.path, 'utf8'));
  } catch (cause) {
    throw new A3sError('image_broken', `${what} is not JSON`, { cause });
  }
}
