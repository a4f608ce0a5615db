/** A user's archive, in whatever dialect and compression, in the one form that the agent reads. */
import type { Readable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import { isDamage, unpacking } from '../../images/layers/compression.ts';
import { Budget } from '../../images/layers/limits.ts';
import type { Segment, TarEntry } from '../../images/layers/tar/entry.ts';
import { TarReader } from '../../images/layers/tar/reader.ts';
import { END_OF_ARCHIVE, headersOf, paddingAfter } from '../../images/layers/tar/writer.ts';

const ZEROS = Buffer.alloc(256 * 1024);

/**
 * The archive's pieces.
 * @throws A3sError `usage` for what is no sound tar, `unsupported` for bzip2 and xz.
 */
export async function* plainArchive(input: Readable): AsyncGenerator<Buffer, void, undefined> {
  const writer = new Rewriter();
  const reader = new TarReader(unsound, new Unlimited(), writer);
  try {
    for await (const piece of unpacking('the archive')(input)) {
      reader.push(piece);
      yield* writer.take();
    }
    reader.end();
  } catch (error) {
    throw isDamage(error) ? unsound('its compression is damaged') : error;
  }
  writer.finish();
  yield* writer.take();
}

function unsound(what: string): A3sError {
  return new A3sError('usage', `the archive cannot be read: ${what}`);
}

/** A copy has no limit but the disk's. */
class Unlimited extends Budget {
  override take(): null {
    return null;
  }
}

/** Writes each entry anew, holes as zeros: the agent finds them again. */
class Rewriter {
  #pieces: Iterable<Buffer>[] = [];
  #entry: TarEntry | undefined;
  /** Pieces of the entry's data that are still to come. */
  #segments: Segment[] = [];
  #position = 0;

  entry(entry: TarEntry): void {
    this.#closeEntry();
    const plain = { ...entry, sparse: null };
    const headers = headersOf(plain, entry.name, entry.link);
    if (headers === null) throw unsound('an entry has too many attributes');
    this.#pieces.push([headers]);
    this.#entry = entry;
    this.#segments = entry.sparse === null ? [] : entry.sparse.map((segment) => ({ ...segment }));
    this.#position = 0;
  }

  content(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0;) {
      const [segment] = this.#segments;
      const count = segment === undefined ? rest.length : Math.min(segment.length, rest.length);
      if (segment !== undefined) {
        this.#fill(segment.offset);
        segment.offset += count;
        segment.length -= count;
        if (segment.length === 0) this.#segments.shift();
      }
      this.#pieces.push([rest.subarray(0, count)]);
      this.#position += count;
      rest = rest.subarray(count);
    }
  }

  finish(): void {
    this.#closeEntry();
    this.#pieces.push([END_OF_ARCHIVE]);
  }

  *take(): Generator<Buffer, void, undefined> {
    for (const pieces of this.#pieces.splice(0)) yield* pieces;
  }

  #closeEntry(): void {
    if (this.#entry === undefined) return;
    const { size, type } = this.#entry;
    if (type !== 'file') return;
    this.#fill(size);
    this.#pieces.push([paddingAfter(size)]);
  }

  #fill(to: number): void {
    const count = to - this.#position;
    this.#position = to;
    if (count > 0) this.#pieces.push(zeros(count));
  }
}

function* zeros(count: number): Generator<Buffer, void, undefined> {
  for (let left = count; left > 0; left -= ZEROS.length)
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}
