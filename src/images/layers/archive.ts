/** The one tar that an image's layers become, written to tar2sqfs entry by entry. */
import { layerError, MAX_IDS, quoted } from './limits.ts';
import type { SquashfsWriter } from './squashfs.ts';
import { storedBytes, type TarEntry } from './tar/entry.ts';
import { END_OF_ARCHIVE, headersOf, MAX_PAX_WRITTEN, paddingAfter } from './tar/writer.ts';

/** Name prefixes that a squashfs can keep; POSIX ACLs, for one, it cannot. Linux knows no others that an image needs. */
const KEPT_XATTRS = /^(?:user|trusted|security)\../s;

export class Archive {
  readonly #writer: SquashfsWriter;
  readonly #ids = new Set<number>();

  constructor(writer: SquashfsWriter) {
    this.#writer = writer;
  }

  /**
   * Writes what stands before the content of `entry`, which goes to `path`.
   * @param link target of a symbolic link as it is, of a hard link as a path in this archive.
   * @param layer digest of the layer it comes from, for errors.
   */
  begin(entry: TarEntry, path: string, link: string, layer: string): void {
    this.#ids.add(entry.uid).add(entry.gid);
    if (this.#ids.size > MAX_IDS) throw layerError(layer, `the image has more than ${MAX_IDS} owners`);
    const xattrs = entry.xattrs.filter(([name]) => KEPT_XATTRS.test(name));
    const name = path === '' ? './' : path;
    const headers = headersOf({ ...entry, xattrs }, name, link);
    if (headers === null) {
      const limit = MAX_PAX_WRITTEN / 1024;
      throw layerError(layer, `the attributes of ${quoted(path)} take more than ${limit} KiB`);
    }
    this.#writer.write(headers);
  }

  /** Writes content of the last entry. */
  content(bytes: Buffer): void {
    this.#writer.write(bytes);
  }

  /** Call it when the content of `entry` is complete. */
  endContent(entry: TarEntry): void {
    this.#writer.write(paddingAfter(storedBytes(entry)));
  }

  end(): void {
    this.#writer.write(END_OF_ARCHIVE);
  }

  /** Waits until tar2sqfs has room for more. */
  settled = (): Promise<void> => this.#writer.settled();
}
