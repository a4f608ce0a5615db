/**
 * A tar context onto the host. Nobody vouches for it: whatever names and links it holds, nothing is written but below the
 * directory that was opened, as if that were the root (so does BuildKit, which unpacks in a chroot). What stands in the way is
 * replaced; directories merge.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';

import { itself, OpenPath, within } from '../../confined.ts';
import { A3sError, hasErrno } from '../../errors.ts';
import { HoledFile } from '../../holed-file.ts';
import { quoted } from '../../images/layers/limits.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import type { TarHandler } from '../../images/layers/tar/reader.ts';
import { AttributeTable } from './attribute-table.ts';
import { followInside, namesOf, removeTree } from './inside.ts';
import type { EntryAttributes } from './types.ts';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** What the user of the build may always do with what is unpacked, beyond the permissions of the archive. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** What files of the host may get: the rest, set-ID bits among them, is in the table alone. */
const HARMLESS = 0o777;
/** Of directories that the archive names no entry for. */
const IMPLIED_MODE = 0o755;
/** What file systems keep. */
const [TIME_MIN, TIME_MAX] = [-(2 ** 31), 2 ** 33];

interface OpenFile {
  entry: TarEntry;
  descriptor: number;
  content: HoledFile;
  /** Data of a sparse file that has not come yet: index of the segment, bytes of it that came. */
  segment: number;
  filled: number;
}

export class ArchiveExtractor implements TarHandler, Disposable {
  readonly #top: number;
  readonly #room: number;
  readonly #path: OpenPath;
  readonly #table = new AttributeTable();
  /** Times and permissions are set at the end: what is put into a directory changes its own. */
  readonly #directories: { names: string[]; mode: number; mtime: number }[] = [];
  #file: OpenFile | undefined;

  /**
   * @param top an open, empty directory; it stays the caller's.
   * @param room bytes that a path in it may have, so that others can use it by its whole path
   */
  constructor(top: number, room: number) {
    this.#top = top;
    this.#room = room;
    this.#path = new OpenPath(top);
  }

  entry(entry: TarEntry): void {
    this.#closeFile();
    const names = namesOf(entry.name);
    const name = names.pop();
    // The directory itself is as it is.
    if (name === undefined) return;
    const parents = this.#enterable(names);
    const parent = this.#enter(parents);
    this.#make(parent, [...parents, name], name, entry);
  }

  content(bytes: Buffer): void {
    const file = this.#file;
    if (file === undefined) return;
    const { sparse } = file.entry;
    if (sparse === null) {
      file.content.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length;) {
      const segment = sparse[file.segment];
      if (segment === undefined) return;
      if (file.filled === 0) file.content.skip(segment.offset - endOf(sparse[file.segment - 1]));
      const piece = bytes.subarray(at, at + segment.length - file.filled);
      file.content.write(piece);
      at += piece.length;
      file.filled += piece.length;
      if (file.filled === segment.length) [file.segment, file.filled] = [file.segment + 1, 0];
    }
  }

  /** Call it after the last byte. */
  finish(): ReadonlyMap<string, EntryAttributes> {
    this.#closeFile();
    for (const { names, mode, mtime } of this.#directories.toReversed()) {
      try {
        const directory = itself(this.#path.enter(names));
        chmodSync(directory, (mode & HARMLESS) | DIRECTORY_MODE);
        utimesSync(directory, mtime, mtime);
      } catch (error) {
        // Something else took its place later in the archive.
        if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
      }
    }
    return this.#table.entries;
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#path[Symbol.dispose]();
  }

  #make(parent: number, names: string[], name: string, entry: TarEntry): void {
    const path = names.join('/');
    if (path.length > this.#room) {
      throw new A3sError('invalid_config', `the context has a path that is too long: ${quoted(path)}`);
    }
    const mtime = Math.min(Math.max(entry.mtime, TIME_MIN), TIME_MAX);
    switch (entry.type) {
      case 'directory':
        this.#directory(parent, name, path);
        this.#directories.push({ names, mode: entry.mode, mtime });
        break;
      case 'file': {
        const open = (): number => openSync(within(parent, name), CREATE, FILE_MODE);
        const descriptor = this.#inPlace(parent, name, path, open);
        this.#file = { entry, descriptor, content: new HoledFile(descriptor), segment: 0, filled: 0 };
        break;
      }
      case 'symlink':
        this.#inPlace(parent, name, path, () =>
          symlinkSync(Buffer.from(entry.link, 'latin1'), within(parent, name)),
        );
        lutimesSync(within(parent, name), mtime, mtime);
        break;
      case 'hardlink':
        this.#link(parent, name, path, entry);
        return;
      default:
        // Nobody but root can make devices; pipes are of no use in a context.
        this.#clear(parent, name, path);
        return;
    }
    this.#table.set(path, entry);
  }

  #directory(parent: number, name: string, path: string): void {
    try {
      mkdirSync(within(parent, name), DIRECTORY_MODE);
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
      if (lstatSync(within(parent, name)).isDirectory()) return;
      this.#clear(parent, name, path);
      mkdirSync(within(parent, name), DIRECTORY_MODE);
    }
  }

  #link(parent: number, name: string, path: string, entry: TarEntry): void {
    const names = namesOf(entry.link);
    const last = names.pop() ?? '';
    const target = [...followInside(this.#top, names), last].join('/');
    // A way of its own: to enter the first name's directory would close the entry's.
    using way = new OpenPath(this.#top);
    const first = within(way.enter(followInside(this.#top, names)), last);
    // A link to itself would lose what it names.
    if (target !== path) this.#inPlace(parent, name, path, () => linkSync(first, within(parent, name)));
    this.#table.copy(target, path);
  }

  /** Makes something, in the place of what is there. */
  #inPlace<T>(parent: number, name: string, path: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
    this.#clear(parent, name, path);
    return make();
  }

  #clear(parent: number, name: string, path: string): void {
    removeTree(parent, name, path, (gone) => this.#table.forget(gone));
  }

  /** The names of the directory that these lead to; links on the way are followed as if the top were the root. */
  #enterable(names: string[]): string[] {
    try {
      this.#enter(names);
      return names;
    } catch (error) {
      if (!hasErrno(error, 'ENOTDIR', 'ELOOP')) throw error;
      return followInside(this.#top, names);
    }
  }

  #enter(names: readonly string[]): number {
    return this.#path.enter(names, (parent, name) => {
      const made = within(parent, name);
      mkdirSync(made);
      // Whatever the umask.
      chmodSync(made, IMPLIED_MODE);
    });
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    const { entry, descriptor, content } = this.#file;
    this.#file = undefined;
    const mtime = Math.min(Math.max(entry.mtime, TIME_MIN), TIME_MAX);
    try {
      content.finish(entry.size);
      const mode = (entry.mode & HARMLESS) | FILE_MODE;
      if (mode !== FILE_MODE) fchmodSync(descriptor, mode);
      futimesSync(descriptor, mtime, mtime);
    } finally {
      closeSync(descriptor);
    }
  }
}

function endOf(segment: { offset: number; length: number } | undefined): number {
  return segment === undefined ? 0 : segment.offset + segment.length;
}
