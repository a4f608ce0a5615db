/**
 * Puts an archive's entries into a directory as Docker's untar does, with that directory for a root: links in names and the targets of
 * hard links are followed inside of it (moby/go-archive, Unpack and createTarFile in a chroot).
 */
import { posix } from 'node:path';

import type { TarEntry } from '../../../images/layers/tar/entry.ts';
import { componentsOf, isDirectory, type Leaf } from '../../../images/layers/tree.ts';
import { DockerfileError } from '../../dockerfile/error.ts';
import type { ContentSource } from '../../tree/source-tree.ts';
import {
  type Destination,
  isPlanned,
  type Ownership,
  type PlannedLeaf,
  WorkDirectory,
} from '../destination.ts';
import { shown, systemFailure } from '../failure.ts';

const DIRECTORY_MODE = 0o755;
const ROOT_OWNED: Ownership = { uid: 0, gid: 0 };
/** What a tar can say and Go's time cannot: such entries are dated 1970. */
const LATEST = 2 ** 33;

export interface Unpacked {
  entries: readonly TarEntry[];
  /** Where the entries' contents are, by their places. */
  source: ContentSource;
  /** Null: what the archive says. */
  owner: Ownership | null;
  /** Where files that were there before have their content. */
  below: ContentSource;
}

/**
 * @param top an existing directory
 * @throws DockerfileError for entries that cannot be put anywhere
 */
export function unpackArchive(destination: Destination, top: WorkDirectory, unpacked: Unpacked): void {
  const unpacker = new Unpacker(destination, top, unpacked);
  for (const [place, entry] of unpacked.entries.entries()) unpacker.put(entry, place);
  unpacker.finish();
}

class Unpacker {
  readonly #destination: Destination;
  readonly #top: WorkDirectory;
  readonly #unpacked: Unpacked;
  /** Directories get their times when nothing more goes into them. */
  readonly #directories: { directory: WorkDirectory; mtime: number }[] = [];

  constructor(destination: Destination, top: WorkDirectory, unpacked: Unpacked) {
    this.#destination = destination;
    this.#top = top;
    this.#unpacked = unpacked;
  }

  put(entry: TarEntry, place: number): void {
    const names = componentsOf(entry.name);
    const base = names.pop();
    if (base === undefined) {
      this.#putRoot(entry);
      return;
    }
    const parent = this.#parent(names);
    const owned = this.#owned(entry);
    const there = parent.children.get(base)?.node;
    if (entry.type === 'directory') {
      const directory =
        there instanceof WorkDirectory ? there : this.#destination.putDirectory(parent, base, owned);
      this.#keep(directory, owned);
    } else if (entry.type === 'hardlink') this.#link(parent, base, owned, [...names, base]);
    else {
      const leaf = { entry: owned, layer: 0, ordinal: place, path: '' };
      const planned: PlannedLeaf = { ...leaf, origin: { source: this.#unpacked.source, leaf } };
      this.#destination.put(parent, base, planned);
    }
  }

  finish(): void {
    for (const { directory, mtime } of this.#directories) directory.become({ mtime });
  }

  /** `.` is left as it is. */
  #putRoot(entry: TarEntry): void {
    if (posix.normalize(entry.name).replace(/(?<=.)\/$/, '') === '.') return;
    if (entry.type !== 'directory') throw new DockerfileError('unlinkat /: device or resource busy');
    this.#keep(this.#top, this.#owned(entry));
  }

  #keep(directory: WorkDirectory, entry: TarEntry): void {
    const xattrs = [...new Map([...(directory.entry?.xattrs ?? []), ...entry.xattrs])];
    directory.become({ ...entry, xattrs });
    this.#directories.push({ directory, mtime: entry.mtime });
  }

  #parent(names: readonly string[]): WorkDirectory {
    const path = this.#destination.resolve(names, this.#top);
    return this.#destination.makeAll(path, DIRECTORY_MODE, ROOT_OWNED, this.#top);
  }

  /** Attributes of the link are the file's from then on. */
  #link(parent: WorkDirectory, base: string, entry: TarEntry, path: readonly string[]): void {
    const names = componentsOf(entry.link);
    const last = names.pop() ?? '';
    const around = this.#destination.at(this.#destination.resolve(names, this.#top), this.#top);
    const target = around instanceof WorkDirectory ? around.children.get(last)?.node : undefined;
    const call = `link ${shown([...names, last])}`;
    const isItself = around === parent && last === base;
    if (target === undefined || isItself || !(around instanceof WorkDirectory)) {
      throw systemFailure(call, path, 'no such file or directory');
    }
    if (isDirectory(target)) throw systemFailure(call, path, 'operation not permitted');
    const own = this.#planned(around, last, target);
    if (own.entry.type !== 'symlink') {
      const { mode, uid, gid, mtime } = entry;
      own.entry = { ...own.entry, mode, uid, gid, mtime };
    }
    this.#destination.put(parent, base, own);
  }

  /** A file that was there before goes into the layer with all the names that it has from now on. */
  #planned(directory: WorkDirectory, name: string, leaf: Leaf): PlannedLeaf {
    if (isPlanned(leaf)) return leaf;
    const planned: PlannedLeaf = { ...leaf, origin: { source: this.#unpacked.below, leaf } };
    this.#destination.put(directory, name, planned);
    return planned;
  }

  #owned(entry: TarEntry): TarEntry {
    const mtime = entry.mtime < 0 || entry.mtime > LATEST ? 0 : entry.mtime;
    return { ...entry, ...this.#unpacked.owner, name: '', mtime };
  }
}
