/**
 * Files of the host by an open directory and one name, so that no link on the way, planted before or meanwhile, leads
 * elsewhere: Node has no openat(2), but Linux resolves /proc/self/fd/N to exactly what is open (proc(5)).
 */
import { closeSync, constants, openSync } from 'node:fs';

/** Linux, asm-generic/fcntl.h: names a directory without the right to read it. Node's constants lack it. */
const O_PATH = 0o10_000_000;

/** A name in an open directory, for the functions of node:fs. `name` holds one byte a character. */
export function within(directory: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, 'latin1');
}

/** The open directory itself. */
export function itself(directory: number): string {
  return `/proc/self/fd/${directory}`;
}

/** Opens a directory that the user named, links followed. The caller closes it. */
export function openTop(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY);
}

/** Opens a directory in an open one; a link is refused with ENOTDIR or ELOOP. The caller closes it. */
export function openInner(directory: number, name: string): number {
  return openSync(within(directory, name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** The open directories from a top one to the one that was last asked for. Trees come in order: most are open already. */
export class OpenPath implements Disposable {
  readonly #top: number;
  readonly #open: { name: string; directory: number }[] = [];

  /** @param top stays the caller's. */
  constructor(top: number) {
    this.#top = top;
  }

  /**
   * The directory at these names below the top.
   * @param missing called for one that is not there, to make it.
   */
  enter(names: readonly string[], missing?: (parent: number, name: string) => void): number {
    const known = this.#open.findIndex(({ name }, n) => name !== names[n]);
    for (const { directory } of this.#open.splice(known < 0 ? names.length : known)) closeSync(directory);
    for (const name of names.slice(this.#open.length)) {
      const parent = this.#last;
      this.#open.push({ name, directory: openOrMake(parent, name, missing) });
    }
    return this.#last;
  }

  [Symbol.dispose](): void {
    for (const { directory } of this.#open.splice(0)) closeSync(directory);
  }

  get #last(): number {
    return this.#open.at(-1)?.directory ?? this.#top;
  }
}

function openOrMake(parent: number, name: string, missing?: (parent: number, name: string) => void): number {
  try {
    return openInner(parent, name);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing || missing === undefined) throw error;
  }
  missing(parent, name);
  return openInner(parent, name);
}
