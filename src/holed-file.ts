/** A file that is written from its beginning to its end, with holes where nothing but zeros stands. */
import { ftruncateSync, writeSync } from 'node:fs';

const PAGE = 4096;
const ZEROS = Buffer.alloc(PAGE);
/** Bytes to a write. For one of several MiB Linux looks for pages of 2 MiB, which takes it five times as long when it finds none. */
export const MAX_WRITE = 512 * 1024;

export class HoledFile {
  readonly #descriptor: number;
  #position = 0;
  /** Where the bytes end that were really written. */
  #end = 0;

  /** @param descriptor of an empty file, open for writing; it stays the caller's. */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** The next bytes; whole pages of zeros become holes. */
  write(bytes: Buffer): void {
    /** Where that begins which is still to be written. */
    let from = 0;
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + PAGE - ((this.#position + at) % PAGE));
      if (bytes[at] === 0 && bytes.compare(ZEROS, 0, end - at, at, end) === 0) {
        this.#put(bytes, from, at);
        from = end;
      }
      at = end;
    }
    this.#put(bytes, from, bytes.length);
    this.#position += bytes.length;
  }

  /** A hole of so many bytes. */
  skip(bytes: number): void {
    this.#position += bytes;
  }

  /** Gives the file its size: a hole at the end has left no byte. */
  finish(size: number): void {
    if (size !== this.#end) ftruncateSync(this.#descriptor, size);
  }

  #put(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) {
      at += writeSync(this.#descriptor, bytes, at, Math.min(to - at, MAX_WRITE), this.#position + at);
      this.#end = this.#position + at;
    }
  }
}
