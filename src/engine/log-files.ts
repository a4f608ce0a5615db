/**
 * The files of one log, which the box's monitor rotates while they are read: `path` is written, `path.1` came before it, and so on.
 * A file is known by its inode, because its name changes; one that is open stays readable whatever becomes of its name.
 */
import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { hasErrno } from '../errors.ts';

/** A rotation takes moments; one that a crash cut short stays as it is. */
const SETTLE_MS = 1000;
const POLL_MS = 5;
const ABSENT = 0;

export class LogFiles {
  readonly #path: string;
  readonly #count: number;

  /** @param count how many files there may be */
  constructor(path: string, count: number) {
    this.#path = path;
    this.#count = count;
  }

  /** The file that is written; null when there is none (yet). */
  newest(): Promise<FileHandle | null> {
    return openIfThere(this.#path);
  }

  /** True once another file is written, or none any more. */
  async isComplete(file: FileHandle): Promise<boolean> {
    return (await file.stat()).ino !== inodeOf(this.#path);
  }

  /** The file before `file`; null for the oldest. */
  async before(file: FileHandle): Promise<FileHandle | null> {
    return this.#neighbour(file, (_, at) => (at < 0 ? undefined : at + 1));
  }

  /** The file after `file`; null while it is the one that is written, and once the log is gone. */
  async after(file: FileHandle): Promise<FileHandle | null> {
    return this.#neighbour(file, (inodes, at) => {
      // One that has been removed was older than all that are there.
      if (at < 0) return inodes.findLastIndex((ino) => ino !== ABSENT);
      return at === 0 ? undefined : at - 1;
    });
  }

  /** A rotation while this looks gives all of them other names: it looks again until the answer holds. */
  async #neighbour(
    file: FileHandle,
    choose: (inodes: readonly number[], at: number) => number | undefined,
  ): Promise<FileHandle | null> {
    const { ino } = await file.stat();
    for (const deadline = performance.now() + SETTLE_MS; ;) {
      // From new to old: files move that way, so that none is missed.
      const inodes = Array.from({ length: this.#count }, (_, index) => inodeOf(this.#name(index)));
      if (isSettled(inodes) || performance.now() > deadline) {
        const index = choose(inodes, inodes.indexOf(ino));
        const wanted = index === undefined ? undefined : inodes[index];
        if (index === undefined || wanted === undefined || wanted === ABSENT) return null;
        const found = await openIfThere(this.#name(index));
        if (found !== null && (await found.stat()).ino === wanted) return found;
        await found?.close();
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #name(index: number): string {
    return index === 0 ? this.#path : `${this.#path}.${index}`;
  }
}

/** False in the middle of a rotation: a name is free before one that is not, or a file has been seen under two. */
function isSettled(inodes: readonly number[]): boolean {
  const there = inodes.filter((ino) => ino !== ABSENT);
  return (
    there.length > 0 &&
    !inodes.slice(0, there.length).includes(ABSENT) &&
    new Set(there).size === there.length
  );
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? ABSENT;
}
