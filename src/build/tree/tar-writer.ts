/** A layer's tar on its way into a stream, entry by entry. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import { MAX_NAME_BYTES, MAX_PATH_BYTES, quoted } from '../../images/layers/limits.ts';
import { storedBytes, type TarEntry } from '../../images/layers/tar/entry.ts';
import type { LayerListing } from './layer-listing.ts';
import { END_OF_ARCHIVE, headersOf, paddingAfter } from '../../images/layers/tar/writer.ts';

const GATHERED_BYTES = 64 * 1024;
/** Larger pieces are not worth a copy. */
const LARGE_BYTES = 16 * 1024;

export interface TarOptions {
  /** No entry is newer, in seconds since 1970. Null without. */
  maxMtime: number | null;
  signal?: AbortSignal | undefined;
}

export class TarWriter {
  readonly #sink: Writable;
  readonly #options: TarOptions;
  #gathering = Buffer.allocUnsafeSlow(GATHERED_BYTES);
  #gathered = 0;
  /** Bytes of the last entry's content that are still to come, and zeros behind it. */
  #left = 0;
  #padding = paddingAfter(0);
  #failure: Error | null = null;
  readonly #entries: TarEntry[] = [];

  constructor(sink: Writable, options: TarOptions) {
    this.#sink = sink;
    this.#options = options;
    sink.once('error', (error) => (this.#failure = error));
  }

  /**
   * Writes what stands before the content of `entry`.
   * @param path where it is in the layer, one byte a character
   * @param link for a hard link, a path in the layer
   * @throws A3sError `io` for names that no file system or no layer can have.
   */
  entry(entry: TarEntry, path: string, link = entry.link): void {
    this.#endContent();
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.length > MAX_NAME_BYTES || path.length >= MAX_PATH_BYTES) {
      throw new A3sError('io', `open /${quoted(path).slice(1, -1)}: file name too long`);
    }
    const { maxMtime } = this.#options;
    const mtime = maxMtime === null ? entry.mtime : Math.min(entry.mtime, maxMtime);
    const written = { ...entry, mtime, name: entry.type === 'directory' ? `${path}/` : path, link };
    const headers = headersOf(written, written.name, link);
    if (headers === null)
      throw new A3sError('io', `the attributes of ${quoted(path)} are too large for a layer`);
    this.#write(headers);
    this.#entries.push(written);
    if (entry.type !== 'file') return;
    this.#left = storedBytes(entry);
    this.#padding = paddingAfter(this.#left);
  }

  /** Writes content of the last entry. */
  content(bytes: Buffer): void {
    this.#left -= bytes.length;
    if (this.#left < 0) throw new A3sError('io', 'a file grew while it was copied');
    this.#write(bytes);
  }

  /** What was written, in its order. */
  get listing(): LayerListing {
    return { entries: this.#entries };
  }

  /** Ends the archive; the sink stays open. */
  async end(): Promise<void> {
    this.#endContent();
    this.#write(END_OF_ARCHIVE);
    this.#flush();
    await this.settled();
  }

  /** Waits until the sink has room for more. @throws the signal's reason, the sink's error */
  async settled(): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    if (this.#failure !== null) throw this.#failure;
    if (this.#sink.destroyed) throw new A3sError('io', 'whoever takes the layer has gone');
    if (!this.#sink.writableNeedDrain) return;
    const gone = new AbortController();
    const signals = signal === undefined ? [gone.signal] : [gone.signal, signal];
    const options = { signal: AbortSignal.any(signals) };
    try {
      await Promise.race([
        once(this.#sink, 'drain', options),
        once(this.#sink, 'close', options).then(() => {
          throw this.#failure ?? new A3sError('io', 'whoever takes the layer has gone');
        }),
      ]);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      gone.abort();
    }
  }

  #endContent(): void {
    if (this.#left > 0) throw new A3sError('io', 'a file shrank while it was copied');
    this.#write(this.#padding);
    this.#padding = paddingAfter(0);
  }

  #write(bytes: Buffer): void {
    if (bytes.length > LARGE_BYTES) {
      this.#flush();
      this.#sink.write(bytes);
      return;
    }
    if (this.#gathered + bytes.length > GATHERED_BYTES) this.#flush();
    this.#gathered += bytes.copy(this.#gathering, this.#gathered);
  }

  #flush(): void {
    if (this.#gathered === 0) return;
    this.#sink.write(this.#gathering.subarray(0, this.#gathered));
    this.#gathering = Buffer.allocUnsafeSlow(GATHERED_BYTES);
    this.#gathered = 0;
  }
}
