/** What a layer may hold, and the errors that say so. Every number here stands between a hostile image and the host. */
import { A3sError } from '../../errors.ts';

/** Bytes of one extended header (PAX, GNU long name) or sparse map. GNU tar and Go accept about as much. */
export const MAX_HEADER_BYTES = 1 << 20;
/** Linux: PATH_MAX and NAME_MAX. */
export const MAX_PATH_BYTES = 4096;
export const MAX_NAME_BYTES = 255;
/** Pieces of data in one sparse file; tar2sqfs takes no more. */
export const MAX_SPARSE_SEGMENTS = 65_536;
/** Bytes of one extended attribute's value (Linux: XATTR_SIZE_MAX). */
export const MAX_XATTR_BYTES = 65_536;
/** User and group IDs that one squashfs can name. */
export const MAX_IDS = 65_536;
/** Symbolic links followed to find one directory, as containerd and Linux do about. */
export const MAX_LINKS_FOLLOWED = 255;

/** Over all layers of an image. */
export const MAX_ENTRIES = 2_000_000;
/** Names, link targets and attributes, which are kept in memory while layers are merged. */
export const MAX_METADATA_BYTES = 256 * 1024 ** 2;
/** Size of the files, their holes included. */
export const MAX_CONTENT_BYTES = 64 * 1024 ** 3;

/** The error for a layer whose bytes are what its digest says, but cannot be unpacked. `layer` is its digest. */
export function layerError(layer: string, what: string): A3sError {
  return new A3sError('image_broken', `cannot unpack layer ${layer}: ${what}`, {
    hint: 'nothing was written; the image has to be built again',
  });
}

/** `layerError` of one layer. */
export function errorOf(layer: string): (what: string) => A3sError {
  return (what) => layerError(layer, what);
}

/** A name out of a layer, fit for one line on a terminal. `name` holds one byte a character. */
export function quoted(name: string): string {
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  const text = Buffer.from(shown.replace('…', ''), 'latin1').toString('utf8');
  return JSON.stringify(shown === name ? text : `${text}…`).replaceAll(/[\u007f-\u009f]/g, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** What an image may still use up; one object counts for all its layers. */
export class Budget {
  readonly #subject: string;
  #entries = 0;
  #metadata = 0;
  #content = 0;

  /** @param subject what has too much, in the sentence that says so. */
  constructor(subject = 'the image') {
    this.#subject = subject;
  }

  /**
   * Counts one entry.
   * @param metadata bytes of its names, links and attributes.
   * @param content size of the file, in bytes.
   * @returns what there is too much of; null when there is room.
   */
  take(metadata: number, content: number): string | null {
    this.#entries += 1;
    this.#metadata += metadata;
    this.#content += content;
    if (this.#entries > MAX_ENTRIES) return `${this.#subject} has more than ${MAX_ENTRIES} entries`;
    if (this.#metadata > MAX_METADATA_BYTES) {
      return `${this.#subject} has more than ${MAX_METADATA_BYTES / 1024 ** 2} MiB of names and attributes`;
    }
    if (this.#content > MAX_CONTENT_BYTES) {
      return `${this.#subject} unpacks to more than ${MAX_CONTENT_BYTES / 1024 ** 3} GiB`;
    }
    return null;
  }
}

/** For what is counted elsewhere, or has no limit but the disk's. */
export class Unlimited extends Budget {
  override take(): null {
    return null;
  }
}
