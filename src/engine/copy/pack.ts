/** A tree of the host as an archive for a box. Nothing is followed but what the user named. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';

import { A3sError } from '../../errors.ts';
import type { EntryType, TarEntry } from '../../images/layers/tar/entry.ts';
import { END_OF_ARCHIVE, headersOf, paddingAfter } from '../../images/layers/tar/writer.ts';
import { itself, openInner, within } from '../../confined.ts';

export interface PackOptions {
  /** What the archive calls it; `.` for what is in the directory. */
  title: string;
  /** Files keep their owners; otherwise they become root's. */
  owners: boolean;
}

/** A slot of the transfer disk. */
const PIECE = 4 * 1024 * 1024;
const PERMISSIONS = 0o7777;

/**
 * The archive of `name` in the open directory, piece by piece: no more is held than one piece and the names of one path's
 * directories. Names hold one byte a character. A piece of 64 KiB or more is good until the next is asked for.
 * @throws A3sError `io` naming a file that cannot be archived, errors of node:fs.
 */
export async function* pack(
  directory: number,
  name: string,
  options: PackOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const packer = new Packer(options.owners);
  yield* packer.entry(directory, name, Buffer.from(options.title).toString('latin1'));
  yield END_OF_ARCHIVE;
}

class Packer {
  readonly #owners: boolean;
  /** Where a file with several names stands in the archive, by device and inode. */
  readonly #linked = new Map<string, string>();

  constructor(owners: boolean) {
    this.#owners = owners;
  }

  *entry(parent: number, name: string, path: string): Generator<Buffer, void, undefined> {
    const stat = lstatSync(within(parent, name));
    if (stat.isDirectory()) {
      yield* this.#directory(parent, name, path, stat);
      return;
    }
    const key = `${stat.dev}:${stat.ino}`;
    const first = stat.nlink > 1 ? this.#linked.get(key) : undefined;
    if (first !== undefined) {
      yield this.#header('hardlink', stat, path, { link: first });
      return;
    }
    if (stat.nlink > 1) this.#linked.set(key, path);
    if (stat.isFile()) yield* this.#file(parent, name, path);
    else if (stat.isSymbolicLink()) {
      const link = readlinkSync(within(parent, name), 'latin1');
      yield this.#header('symlink', stat, path, { link });
    } else if (!stat.isSocket()) yield this.#header(kindOf(stat), stat, path, {});
  }

  *#directory(parent: number, name: string, path: string, stat: Stats): Generator<Buffer, void, undefined> {
    yield this.#header('directory', stat, `${path}/`, {});
    const directory = openInner(parent, name);
    try {
      const names = readdirSync(itself(directory), 'latin1');
      // Equal trees make equal archives.
      for (const inner of names.toSorted()) yield* this.entry(directory, inner, `${path}/${inner}`);
    } finally {
      closeSync(directory);
    }
  }

  /** The size is taken once the file is open; one that shrinks meanwhile is filled up with zeros. */
  *#file(parent: number, name: string, path: string): Generator<Buffer, void, undefined> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = openSync(within(parent, name), flags);
    try {
      const stat = fstatSync(file);
      yield this.#header('file', stat, path, { size: stat.size });
      // One for the whole file: memory that was never touched costs more than what is read into it.
      const buffer = Buffer.allocUnsafe(Math.min(PIECE, stat.size));
      for (let left = stat.size; left > 0;) {
        const piece = buffer.subarray(0, left);
        const count = readSync(file, piece);
        if (count === 0) piece.fill(0);
        const bytes = count === 0 ? piece : piece.subarray(0, count);
        left -= bytes.length;
        yield bytes;
      }
      yield paddingAfter(stat.size);
    } finally {
      closeSync(file);
    }
  }

  #header(
    type: EntryType,
    stat: Stats,
    path: string,
    { link = '', size = 0 }: { link?: string; size?: number },
  ): Buffer {
    const entry: TarEntry = {
      type,
      name: path,
      link,
      size,
      mode: stat.mode & PERMISSIONS,
      uid: this.#owners ? stat.uid : 0,
      gid: this.#owners ? stat.gid : 0,
      mtime: Math.floor(stat.mtimeMs / 1000),
      major: majorOf(stat.rdev),
      minor: minorOf(stat.rdev),
      xattrs: [],
      sparse: null,
    };
    const headers = headersOf(entry, path, link);
    if (headers === null) throw new A3sError('io', 'a file has a name too long for an archive');
    return headers;
  }
}

function kindOf(stat: Stats): EntryType {
  if (stat.isFIFO()) return 'fifo';
  return stat.isBlockDevice() ? 'block' : 'character';
}

/** Device numbers as Linux packs them: 12 bits of major at 8, the minor around it. */
function majorOf(device: number): number {
  return Math.floor(device / 256) % 4096;
}

function minorOf(device: number): number {
  return (device % 256) + Math.floor(device / 2 ** 20) * 256;
}
