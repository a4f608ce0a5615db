/**
 * The layer that a guest sends, read and written anew: whatever a guest says, the layer is an archive in the one form that layers of
 * builds have, with nothing in it that no layer may hold.
 */
import type { Writable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import { Budget, MAX_NAME_BYTES, quoted } from '../../images/layers/limits.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { storedBytes } from '../../images/layers/tar/entry.ts';
import { TarReader } from '../../images/layers/tar/reader.ts';
import { END_OF_ARCHIVE, headersOf, paddingAfter } from '../../images/layers/tar/writer.ts';

/** Small pieces are gathered: an archive of small files is mostly headers. */
const GATHERED_BYTES = 64 * 1024;
/** Attributes that mean the same elsewhere. */
const PORTABLE = /^(?:user\.|security\.capability$)/;

export class LayerTar {
  readonly #sink: Writable;
  readonly #reader: TarReader;
  #pieces: Buffer[] = [];
  #gathered = 0;
  #last: TarEntry | null = null;
  #failure: Error | undefined;

  /** @param maxMtime later times become this one, in seconds since 1970. */
  constructor(sink: Writable, maxMtime: number | null) {
    this.#sink = sink;
    sink.on('error', (error: Error) => (this.#failure = error));
    this.#reader = new TarReader(broken, new Budget(), {
      entry: (entry) => {
        this.#endEntry();
        const written = checked(entry, maxMtime);
        const headers = headersOf(written, written.name, written.link);
        if (headers === null) throw broken(`the attributes of ${quoted(entry.name)} are too much`);
        this.#last = written;
        this.#write(headers);
      },
      content: (bytes) => this.#write(bytes),
    });
  }

  /**
   * Takes bytes from the guest; the buffer is the caller's again when this resolves.
   * @throws A3sError `guest_protocol` for what is no sound layer; what the sink throws.
   */
  async push(bytes: Buffer): Promise<void> {
    this.#reader.push(bytes);
    // What is kept must not hold on to the guest's larger chunks.
    this.#pieces = [Buffer.concat(this.#pieces)];
    if (this.#gathered >= GATHERED_BYTES) await this.#flush();
  }

  /** Ends archive and sink. Errors as in `push`. */
  async end(): Promise<void> {
    this.#reader.end();
    this.#endEntry();
    this.#write(END_OF_ARCHIVE);
    await this.#flush();
    await new Promise<void>((resolve, reject) => {
      this.#sink.once('error', reject);
      this.#sink.end(resolve);
    });
  }

  #endEntry(): void {
    if (this.#last !== null) this.#write(paddingAfter(storedBytes(this.#last)));
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#gathered += bytes.length;
  }

  async #flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#gathered = 0;
    if (bytes.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#sink.write(bytes, (error) => (error == null ? resolve() : reject(error)));
    });
  }
}

/** The entry as it goes into the layer. */
function checked(entry: TarEntry, maxMtime: number | null): TarEntry {
  const { name, link, type } = entry;
  const stem = name.endsWith('/') ? name.slice(0, -1) : name;
  const parts = stem.split('/');
  const isRoot = stem === '.' && type === 'directory';
  if (!isRoot && parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw broken(`it has an entry at ${quoted(name)}`);
  }
  if (parts.some((part) => part.length > MAX_NAME_BYTES))
    throw broken(`the name ${quoted(name)} is too long`);
  if (type === 'hardlink' && link.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw broken(`${quoted(name)} is a hard link to ${quoted(link)}`);
  }
  return {
    ...entry,
    name: type === 'directory' ? `${stem}/` : stem,
    mtime: maxMtime === null ? entry.mtime : Math.min(entry.mtime, maxMtime),
    xattrs: entry.xattrs
      .filter(([key]) => PORTABLE.test(key))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  };
}

function broken(what: string): A3sError {
  return new A3sError('guest_protocol', `the VM sent an unsound layer: ${what}`);
}
