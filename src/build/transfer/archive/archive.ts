/** A local archive that ADD unpacks. It is read twice: for its entries, and for their content once it is written. */
import { A3sError } from '../../../errors.ts';
import { isDamage } from '../../../images/layers/compression.ts';
import { Budget, Unlimited } from '../../../images/layers/limits.ts';
import type { TarEntry } from '../../../images/layers/tar/entry.ts';
import { TarReader } from '../../../images/layers/tar/reader.ts';
import type { Leaf } from '../../../images/layers/tree.ts';
import { DockerfileError } from '../../dockerfile/error.ts';
import { Pauses } from '../../tree/pause.ts';
import type { ContentSource, ContentVisitor } from '../../tree/source-tree.ts';
import { decompressed } from './decompress.ts';

/** Read to see whether a file is an archive at all. */
class Seen extends Error {}

const FINE_BYTES = 1024;

/** Damage hides what is in the same piece before it: in small ones the beginning of an archive is seen, whatever comes later. */
async function* finely(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += FINE_BYTES) yield piece.subarray(at, at + FINE_BYTES);
  }
}

export class Archive implements ContentSource {
  readonly #read: () => AsyncIterable<Buffer>;
  readonly #name: string;

  /**
   * @param read the file's bytes from the beginning
   * @param name for errors
   */
  constructor(read: () => AsyncIterable<Buffer>, name: string) {
    this.#read = read;
    this.#name = name;
  }

  /**
   * True when the file begins as a tar does, after whatever it is compressed with; an archive without entries is none. One whose first
   * entry is too large is an archive still, and refused as one.
   */
  async isArchive(): Promise<boolean> {
    const reader = new TarReader((what) => new A3sError('io', what), new Unlimited(), {
      entry: () => {
        throw new Seen();
      },
      content: () => undefined,
    });
    try {
      for await (const piece of decompressed(finely(this.#read()), this.#name)) reader.push(piece);
      return false;
    } catch (error) {
      if (error instanceof Seen) return true;
      // Not installed is no answer.
      if (error instanceof A3sError && error.code === 'host_setup') throw error;
      return false;
    }
  }

  /**
   * All entries in their order.
   * @throws DockerfileError for what is no sound archive or unpacks to more than an image may hold
   */
  async entries(signal?: AbortSignal): Promise<TarEntry[]> {
    const entries: TarEntry[] = [];
    const handler = { entry: (entry: TarEntry) => void entries.push(entry), content: () => undefined };
    await this.#scan(handler, async () => undefined, signal);
    return entries;
  }

  content({ entry }: Leaf): Iterable<Buffer> | null {
    return entry.size === 0 ? [] : null;
  }

  /** The files' ordinals are their places in the archive. */
  async stream(wanted: ReadonlySet<Leaf>, visitor: ContentVisitor, signal?: AbortSignal): Promise<void> {
    const byPlace = new Map([...wanted].map((leaf) => [leaf.ordinal, leaf]));
    let place = -1;
    let current: Leaf | undefined;
    const handler = {
      entry: () => {
        place += 1;
        current = byPlace.get(place);
        if (current !== undefined) visitor.begin(current);
      },
      content: (bytes: Buffer) => {
        if (current !== undefined) visitor.content(bytes);
      },
    };
    await this.#scan(handler, () => visitor.settled(), signal);
  }

  async #scan(
    handler: { entry(entry: TarEntry): void; content(bytes: Buffer): void },
    settled: () => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const broken = (what: string): DockerfileError =>
      new DockerfileError(`cannot unpack ${this.#name}: ${what}`);
    const reader = new TarReader((what) => broken(what.replace('the image', 'it')), new Budget(), handler);
    const pauses = new Pauses(signal);
    try {
      for await (const piece of decompressed(this.#read(), this.#name)) {
        reader.push(piece);
        await settled();
        await pauses.after(piece.length);
      }
      reader.end();
    } catch (error) {
      throw isDamage(error) ? broken('its compressed data is damaged') : error;
    }
  }
}
