/**
 * `type=local`: a tree into a directory, merged with what is there (tonistiigi/fsutil, DiskWriter). What was built is not trusted: nothing
 * is written but below the directory, whatever links the tree or the directory has. Files belong to the user.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { itself, OpenPath, openTop, within } from '../../confined.ts';
import { A3sError, hasErrno } from '../../errors.ts';
import { goWords } from '../../go-words.ts';
import { errorOf, quoted, Unlimited } from '../../images/layers/limits.ts';
import type { Segment, TarEntry } from '../../images/layers/tar/entry.ts';
import { type TarHandler, TarReader } from '../../images/layers/tar/reader.ts';

const PERMISSIONS = 0o7777;

/**
 * @param tar of the whole tree.
 * @param notify told of what has no place on the host: devices and pipes.
 * @throws A3sError `io`; the signal's reason.
 */
export async function exportLocal(
  tar: AsyncIterable<Buffer>,
  directory: string,
  { signal, notify }: { signal: AbortSignal; notify: (line: string) => void },
): Promise<void> {
  const top = openDestination(directory);
  try {
    using files = new LocalTree(top, directory, notify);
    const reader = new TarReader(errorOf('of the result'), new Unlimited(), files);
    for await (const piece of tar) {
      signal.throwIfAborted();
      reader.push(piece);
    }
    reader.end();
    files.finish();
  } finally {
    closeSync(top);
  }
}

/** @throws A3sError `io` in Go's words */
function openDestination(directory: string): number {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return openTop(directory);
  } catch (error) {
    throw goWords(error, directory);
  }
}

class LocalTree implements TarHandler, Disposable {
  readonly #top: number;
  readonly #directory: string;
  readonly #path: OpenPath;
  readonly #notify: (line: string) => void;
  /** Modes and times are set at the end: a directory must be writable until then. */
  readonly #directories: { names: string[]; entry: TarEntry }[] = [];
  #file: LocalFile | undefined;

  /** @param directory what errors call it */
  constructor(top: number, directory: string, notify: (line: string) => void) {
    this.#top = top;
    this.#directory = directory;
    this.#path = new OpenPath(top);
    this.#notify = notify;
  }

  entry(entry: TarEntry): void {
    try {
      this.#entry(entry);
    } catch (error) {
      throw goWords(error, join(this.#directory, Buffer.from(entry.name, 'latin1').toString()));
    }
  }

  #entry(entry: TarEntry): void {
    this.#endFile();
    const names = namesOf(entry.name);
    const name = names.at(-1);
    // The directory itself stays the user's.
    if (name === undefined) return;
    const parent = this.#enter(this.#path, names.slice(0, -1));
    if (!['file', 'directory', 'symlink', 'hardlink'].includes(entry.type)) {
      this.#notify(`WARNING: left out ${quoted(entry.name)}: a device or pipe`);
      return;
    }
    const stays = clearWay(parent, name, entry.type === 'directory');
    if (entry.type === 'directory') {
      if (!stays) mkdirSync(within(parent, name), 0o700);
      this.#directories.push({ names, entry });
    } else if (entry.type === 'file') this.#file = new LocalFile(within(parent, name), entry);
    else if (entry.type === 'hardlink') this.#link(parent, name, entry.link);
    else {
      symlinkSync(Buffer.from(entry.link, 'latin1'), within(parent, name));
      lutimesSync(within(parent, name), entry.mtime, entry.mtime);
    }
  }

  content(bytes: Buffer): void {
    this.#file?.write(bytes);
  }

  finish(): void {
    this.#endFile();
    for (const { names, entry } of this.#directories.toReversed()) {
      const directory = itself(this.#enter(this.#path, names));
      chmodSync(directory, entry.mode & PERMISSIONS);
      utimesSync(directory, entry.mtime, entry.mtime);
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#path[Symbol.dispose]();
  }

  /** A link on the way, or a file, which the user's directory may have, gives way to a directory. */
  #enter(path: OpenPath, names: readonly string[]): number {
    const make = (parent: number, name: string): void => mkdirSync(within(parent, name), 0o755);
    try {
      return path.enter(names, make);
    } catch (error) {
      if (!hasErrno(error, 'ENOTDIR', 'ELOOP')) throw error;
    }
    for (const [n, name] of names.entries()) {
      const parent = path.enter(names.slice(0, n));
      if (!clearWay(parent, name, true)) make(parent, name);
    }
    return path.enter(names);
  }

  #endFile(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.finish();
  }

  #link(parent: number, name: string, target: string): void {
    const names = namesOf(target);
    // A way of its own: to enter the first name's directory would close the entry's.
    using path = new OpenPath(this.#top);
    linkSync(within(this.#enter(path, names.slice(0, -1)), names.at(-1) ?? ''), within(parent, name));
  }
}

/** A file that is being written; what its map calls a hole stays one. */
class LocalFile {
  readonly #descriptor: number;
  readonly #entry: TarEntry;
  readonly #segments: Segment[];

  constructor(path: Buffer, entry: TarEntry) {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    this.#descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    this.#entry = entry;
    const segments = entry.sparse ?? [{ offset: 0, length: entry.size }];
    this.#segments = segments.map((segment) => ({ ...segment }));
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const [segment] = this.#segments;
      if (segment === undefined) return;
      const length = Math.min(segment.length, bytes.length - at);
      const written = length === 0 ? 0 : writeSync(this.#descriptor, bytes, at, length, segment.offset);
      at += written;
      segment.offset += written;
      segment.length -= written;
      if (segment.length === 0) this.#segments.shift();
    }
  }

  finish(): void {
    try {
      ftruncateSync(this.#descriptor, this.#entry.size);
      fchmodSync(this.#descriptor, this.#entry.mode & PERMISSIONS);
      futimesSync(this.#descriptor, this.#entry.mtime, this.#entry.mtime);
    } finally {
      this.close();
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function namesOf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) {
    throw new A3sError('io', `cannot write ${quoted(path)}: it leads out of the destination`);
  }
  return names;
}

/** Removes what is in the way. True when there is a directory that stays. */
function clearWay(parent: number, name: string, isDirectory: boolean): boolean {
  const there = lstatSync(within(parent, name), { throwIfNoEntry: false });
  if (there === undefined) return false;
  if (there.isDirectory() && isDirectory) return true;
  rmSync(within(parent, name), { recursive: true, force: true });
  return false;
}
