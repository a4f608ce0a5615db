/** A directory of the host as a source: the build context, a named context, a repository. */
import { hash as hashOnce, createHash } from 'node:crypto';
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

import { itself, openTop, OpenPath, within } from '../../confined.ts';
import { A3sError, hasErrno } from '../../errors.ts';
import { MAX_PATH_BYTES, quoted } from '../../images/layers/limits.ts';
import type { EntryType, TarEntry } from '../../images/layers/tar/entry.ts';
import type { Child, Directory, Leaf } from '../../images/layers/tree.ts';
import type { ParentMatches } from '../dockerignore.ts';
import { Ignored } from './ignored.ts';
import { LazyDirectory } from './lazy-directory.ts';
import { Pauses } from './pause.ts';
import type { SourceTree } from './source-tree.ts';
import { textOf } from './text.ts';

/** Remembers digests from build to build, by what `stat` says of a file. */
export interface DigestMemo {
  get(key: string): string | undefined;
  set(key: string, digest: string): void;
}

export interface DirectoryOptions {
  /** What errors call it. */
  name: string;
  /** Path of the directory; a link to one is followed. */
  directory: string;
  /** Lines of `.dockerignore`, as `readIgnoreFile` gives them. */
  ignorePatterns?: readonly string[];
  /** What the files of the host do not show, by path; one of a directory of the user's is root's. */
  attributes?: ReadonlyMap<string, Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'xattrs'>>;
  memo?: DigestMemo;
}

const PIECE_BYTES = 256 * 1024;
const PERMISSIONS = 0o7777;
const SETTLED_MS = 2000;

/** A file of the host, by what tells whether it is still the same. */
interface HostLeaf extends Leaf {
  dev: number;
  ino: number;
  /** Milliseconds since 1970. The change time cannot be set back as the modification time can. */
  mtimeMs: number;
  ctimeMs: number;
  isSocket: boolean;
  /** Empty until it was asked for. */
  digest: string;
}

/**
 * Everything in it is root's, and sockets are empty files, as BuildKit sends a context. Files are opened by directory and name, so that no
 * link leads out, even one that is planted meanwhile. Extended attributes are not seen.
 */
export class DirectoryTree implements SourceTree, Disposable {
  readonly name: string;
  readonly identity = null;
  readonly #options: DirectoryOptions;
  readonly #ignored: Ignored;
  /** Files with several names, by device and inode. */
  readonly #linked = new Map<string, HostLeaf>();
  #top = -1;
  #path: OpenPath | null = null;
  #root: Directory | null = null;

  /** Nothing is read before `open`. @throws A3sError `usage` naming a pattern that is none. */
  constructor(options: DirectoryOptions) {
    this.name = options.name;
    this.#options = options;
    this.#ignored = new Ignored(options.ignorePatterns ?? []);
  }

  close(): void {
    this.#path?.[Symbol.dispose]();
    if (this.#top >= 0) closeSync(this.#top);
    this.#top = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async open(): Promise<Directory> {
    if (this.#root !== null) return this.#root;
    this.#top = openTop(this.#options.directory);
    this.#path = new OpenPath(this.#top);
    const entry = entryOf(fstatSync(this.#top), 'directory', '');
    this.#root = new LazyDirectory(entry, () => this.#load([], []));
    return this.#root;
  }

  async digests(leaves: Iterable<Leaf>, signal?: AbortSignal): Promise<Map<Leaf, string>> {
    const found = new Map<Leaf, string>();
    const pauses = new Pauses(signal);
    for (const leaf of leaves) {
      if (!isHost(leaf)) continue;
      if (leaf.digest === '') leaf.digest = await this.#digest(leaf, pauses);
      found.set(leaf, leaf.digest);
    }
    return found;
  }

  async #digest(leaf: HostLeaf, pauses: Pauses): Promise<string> {
    const { memo } = this.#options;
    if (memo === undefined) return this.#hash(leaf, pauses);
    const { dev, ino, mtimeMs, ctimeMs, entry } = leaf;
    const key = `${dev} ${ino} ${entry.size} ${mtimeMs} ${ctimeMs}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const digest = await this.#hash(leaf, pauses);
    // What was written just now may be written again without its times showing it.
    if (ctimeMs < Date.now() - SETTLED_MS) memo.set(key, digest);
    return digest;
  }

  async #hash(leaf: HostLeaf, pauses: Pauses): Promise<string> {
    if (leaf.entry.size <= PIECE_BYTES) {
      const [only = Buffer.alloc(0)] = this.content(leaf);
      await pauses.after(only.length);
      return hashOnce('sha256', only);
    }
    const hash = createHash('sha256');
    for (const piece of this.content(leaf)) {
      hash.update(piece);
      await pauses.after(piece.length);
    }
    return hash.digest('hex');
  }

  *content(leaf: Leaf): Generator<Buffer, void, undefined> {
    if (leaf.entry.size === 0 || !isHost(leaf) || leaf.isSocket) return;
    const file = this.#openFile(leaf);
    try {
      if (!isSame(leaf, fstatSync(file))) throw changed(leaf.path);
      for (let left = leaf.entry.size; left > 0;) {
        const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, left));
        const count = readSync(file, piece);
        if (count === 0) throw changed(leaf.path);
        left -= count;
        yield piece.subarray(0, count);
      }
    } finally {
      closeSync(file);
    }
  }

  /** Every file can be had alone. */
  async stream(): Promise<void> {}

  #openFile({ path }: HostLeaf): number {
    const names = path.split('/');
    const name = names.pop() ?? '';
    try {
      const directory = this.#enter(names);
      // Without O_NONBLOCK a FIFO that has taken the file's place would wait for a writer.
      return openSync(
        within(directory, name),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw changed(path);
      throw unreadable(path, error);
    }
  }

  #enter(names: readonly string[]): number {
    if (this.#path === null || this.#top < 0)
      throw new A3sError('io', `the directory of ${this.name} is closed`);
    return this.#path.enter(names);
  }

  #load(names: readonly string[], matches: ParentMatches): Map<string, Child> {
    const children = new Map<string, Child>();
    const prefix = names.length === 0 ? '' : `${names.join('/')}/`;
    let directory: number;
    let found: string[];
    try {
      directory = this.#enter(names);
      found = readdirSync(itself(directory), 'latin1');
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return children;
      throw unreadable(names.join('/'), error);
    }
    for (const name of found.toSorted()) {
      const path = prefix + name;
      if (path.length > MAX_PATH_BYTES) throw unreadable(path, new Error('file name too long'));
      const verdict = this.#ignored.verdict(path, matches);
      if (!verdict.entered) continue;
      const stat = lstatSync(within(directory, name), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (stat.isDirectory()) {
        const load = (): Map<string, Child> => this.#load([...names, name], verdict.matches);
        const inner = new LazyDirectory(this.#entry(path, stat, 'directory', ''), load);
        // An ignored directory is there if something in it is not ignored.
        if (verdict.ignored && inner.children.size === 0) continue;
        children.set(name, { node: inner, layer: 0 });
        // Looking into it may have closed this one.
        if (verdict.ignored) directory = this.#enter(names);
      } else if (!verdict.ignored) {
        children.set(name, { node: this.#leaf(directory, name, path, stat), layer: 0 });
      }
    }
    return children;
  }

  #entry(path: string, stat: Stats, type: EntryType, link: string): TarEntry {
    const known = this.#options.attributes?.get(path);
    return known === undefined ? entryOf(stat, type, link) : { ...entryOf(stat, type, link), ...known };
  }

  #leaf(directory: number, name: string, path: string, stat: Stats): HostLeaf {
    const key = `${stat.dev}:${stat.ino}`;
    const known = stat.nlink > 1 ? this.#linked.get(key) : undefined;
    if (known !== undefined) return known;
    const link = stat.isSymbolicLink() ? readlinkSync(within(directory, name), 'latin1') : '';
    const entry = this.#entry(path, stat, kindOf(stat), link);
    const { dev, ino, mtimeMs, ctimeMs } = stat;
    const isSocket = stat.isSocket();
    const leaf: HostLeaf = {
      entry,
      layer: 0,
      ordinal: 0,
      path,
      dev,
      ino,
      mtimeMs,
      ctimeMs,
      isSocket,
      digest: '',
    };
    if (stat.nlink > 1) this.#linked.set(key, leaf);
    return leaf;
  }
}

/** True for a socket, which no image can hold: what is copied with its directory becomes an empty file. */
export function isSocket(node: Leaf | Directory): boolean {
  return 'isSocket' in node && node.isSocket === true;
}

function isHost(leaf: Leaf): leaf is HostLeaf {
  return 'ctimeMs' in leaf;
}

/** True for the file as it was when it was listed. */
function isSame({ dev, ino, mtimeMs, ctimeMs, entry }: HostLeaf, stat: Stats): boolean {
  const isFile = stat.dev === dev && stat.ino === ino;
  return isFile && stat.size === entry.size && stat.mtimeMs === mtimeMs && stat.ctimeMs === ctimeMs;
}

function entryOf(stat: Stats, type: EntryType, link: string): TarEntry {
  const isDevice = type === 'character' || type === 'block';
  return {
    type,
    name: '',
    link,
    mode: stat.mode & PERMISSIONS,
    uid: 0,
    gid: 0,
    mtime: Math.floor(stat.mtimeMs / 1000),
    size: type === 'file' ? stat.size : 0,
    // Device numbers as Linux packs them: 12 bits of major at 8, the minor around it.
    major: isDevice ? Math.floor(stat.rdev / 256) % 4096 : 0,
    minor: isDevice ? (stat.rdev % 256) + Math.floor(stat.rdev / 2 ** 20) * 256 : 0,
    xattrs: [],
    sparse: null,
  };
}

function kindOf(stat: Stats): EntryType {
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isCharacterDevice()) return 'character';
  return stat.isBlockDevice() ? 'block' : 'file';
}

function changed(path: string): A3sError {
  return new A3sError('io', `${quoted(path)} was changed while it was copied`);
}

function unreadable(path: string, cause: unknown): unknown {
  const reason = hasErrno(cause, 'EACCES', 'EPERM') ? 'permission denied' : '';
  if (reason === '' && !(cause instanceof Error && cause.message === 'file name too long')) return cause;
  return new A3sError(
    'io',
    `error from sender: open ${textOf(path) || '.'}: ${reason || 'file name too long'}`,
    {
      cause,
    },
  );
}
