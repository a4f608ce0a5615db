/**
 * An archive from a box onto the host. The box is not trusted: whatever names and links it sends, nothing is written but
 * below the directory that was opened. What stands in the way is replaced, but never a directory by something else or the
 * other way round, as Docker has it.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';

import { itself, OpenPath, within } from '../../confined.ts';
import { A3sError, hasErrno } from '../../errors.ts';
import { HoledFile } from '../../holed-file.ts';
import { Budget, quoted } from '../../images/layers/limits.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { type TarHandler, TarReader } from '../../images/layers/tar/reader.ts';

export interface ExtractOptions {
  /** Files get the owners they have in the archive, as far as this user may give them. */
  owners: boolean;
  /** The archive's top name and the one that it gets; null to leave it. */
  rename: { from: string; to: string } | null;
  /** Told of what has no place on the host. */
  notify: (line: string) => void;
}

const PERMISSIONS = 0o7777;

/** Reads an archive into the open directory `top`. Push its bytes into the reader, then call `finish`. */
export function extractor(
  top: number,
  options: ExtractOptions,
): { reader: TarReader; finish: () => void } & Disposable {
  const files = new Extractor(top, options);
  const unsound = (what: string): A3sError =>
    new A3sError('guest_protocol', `the box sent no sound archive: ${what}`);
  const reader = new TarReader(unsound, new Unlimited(), files);
  return {
    reader,
    finish: () => {
      reader.end();
      files.finish();
    },
    [Symbol.dispose]: () => files[Symbol.dispose](),
  };
}

/** A copy has no limit but the disk's. */
class Unlimited extends Budget {
  override take(): null {
    return null;
  }
}

interface OpenFile {
  entry: TarEntry;
  descriptor: number;
  content: HoledFile;
}

class Extractor implements TarHandler, Disposable {
  readonly #options: ExtractOptions;
  readonly #top: number;
  readonly #path: OpenPath;
  /** Modes and times are set at the end: a directory must be writable until then. */
  readonly #directories: { names: string[]; entry: TarEntry }[] = [];
  #file: OpenFile | undefined;

  constructor(top: number, options: ExtractOptions) {
    this.#options = options;
    this.#top = top;
    this.#path = new OpenPath(top);
  }

  entry(entry: TarEntry): void {
    this.#closeFile();
    const names = this.#names(entry.name);
    const name = names.pop();
    // The directory itself is as it is.
    if (name === undefined) return;
    const parent = enter(this.#path, names, entry);
    const stays = clearWay(parent, name, entry);
    switch (entry.type) {
      case 'directory':
        if (!stays) mkdirSync(within(parent, name), 0o700);
        this.#directories.push({ names: [...names, name], entry });
        break;
      case 'file':
        this.#openFile(parent, name, entry);
        break;
      case 'symlink':
        symlinkSync(Buffer.from(entry.link, 'latin1'), within(parent, name));
        if (this.#options.owners) asPermitted(() => lchownSync(within(parent, name), entry.uid, entry.gid));
        lutimesSync(within(parent, name), entry.mtime, entry.mtime);
        break;
      case 'hardlink':
        this.#link(parent, name, entry);
        break;
      default:
        this.#options.notify(`WARNING: left out ${quoted(entry.name)}: a device or pipe of the box`);
    }
  }

  content(bytes: Buffer): void {
    this.#file?.content.write(bytes);
  }

  finish(): void {
    this.#closeFile();
    for (const { names, entry } of this.#directories.toReversed()) {
      const directory = itself(enter(this.#path, names, entry));
      if (this.#options.owners) asPermitted(() => lchownSync(`${directory}/.`, entry.uid, entry.gid));
      chmodSync(directory, entry.mode & PERMISSIONS);
      utimesSync(directory, entry.mtime, entry.mtime);
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#path[Symbol.dispose]();
  }

  #names(path: string): string[] {
    const { rename } = this.#options;
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.includes('..')) {
      throw new A3sError(
        'guest_protocol',
        `the box sent ${quoted(path)}, which leads out of the destination`,
      );
    }
    if (rename === null) return names;
    if (rename.from === '.') return [rename.to, ...names];
    return names[0] === rename.from ? [rename.to, ...names.slice(1)] : names;
  }

  #openFile(parent: number, name: string, entry: TarEntry): void {
    if (entry.sparse !== null) {
      throw new A3sError('guest_protocol', `the box sent ${quoted(entry.name)} with a map of holes`);
    }
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = openSync(within(parent, name), flags, 0o600);
    this.#file = { entry, descriptor, content: new HoledFile(descriptor) };
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    const { entry, descriptor, content } = this.#file;
    this.#file = undefined;
    try {
      content.finish(entry.size);
      if (this.#options.owners) asPermitted(() => fchownSync(descriptor, entry.uid, entry.gid));
      fchmodSync(descriptor, entry.mode & PERMISSIONS);
      futimesSync(descriptor, entry.mtime, entry.mtime);
    } finally {
      closeSync(descriptor);
    }
  }

  #link(parent: number, name: string, entry: TarEntry): void {
    const target = this.#names(entry.link);
    const first = target.pop() ?? '';
    // A way of its own: to enter the first name's directory would close the entry's.
    using path = new OpenPath(this.#top);
    linkSync(within(enter(path, target, entry), first), within(parent, name));
  }
}

/** The directory at these names, made where it is missing. */
function enter(path: OpenPath, names: readonly string[], entry: TarEntry): number {
  try {
    return path.enter(names, (parent, name) => mkdirSync(within(parent, name), 0o755));
  } catch (error) {
    if (!hasErrno(error, 'ENOTDIR', 'ELOOP')) throw error;
    throw new A3sError(
      'guest_protocol',
      `refused to write ${quoted(entry.name)}: something on the way is no directory`,
      { hint: 'a link there would lead out of the destination', cause: error },
    );
  }
}

/** True when there is a directory that stays. */
function clearWay(parent: number, name: string, entry: TarEntry): boolean {
  const there = lstatSync(within(parent, name), { throwIfNoEntry: false });
  if (there === undefined) return false;
  const isDirectory = entry.type === 'directory';
  if (there.isDirectory() && isDirectory) return true;
  const shown = quoted(name);
  if (there.isDirectory()) {
    throw new A3sError('usage', `cannot overwrite directory ${shown} with non-directory ${shown}`);
  }
  if (isDirectory) {
    throw new A3sError('usage', `cannot overwrite non-directory ${shown} with directory ${shown}`);
  }
  unlinkSync(within(parent, name));
  return false;
}

/** An ordinary user gives nothing away: files stay theirs. */
function asPermitted(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!hasErrno(error, 'EPERM', 'EINVAL')) throw error;
  }
}
