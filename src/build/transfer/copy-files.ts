/** Copies what was selected into a destination, as fsutil's Copy does it (tonistiigi/fsutil, copy/copy.go). */
import { posix } from 'node:path';

import type { TarEntry, Xattrs } from '../../images/layers/tar/entry.ts';
import { type Directory, isDirectory, type Leaf } from '../../images/layers/tree.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import { PLAIN_DIRECTORY } from '../../images/layers/tree.ts';
import type { ContentSource } from '../tree/source-tree.ts';
import { type Destination, namesOf, type Ownership, type PlannedLeaf, WorkDirectory } from './destination.ts';
import { shown } from './failure.ts';
import type { ModeChange } from './mode-change.ts';
import type { Selected } from './selection.ts';

export interface CopyOptions {
  /** Null: what the source has. */
  owner: Ownership | null;
  mode: ModeChange | null;
  /** A directory's contents go into the destination; otherwise the directory does. */
  contentsOnly: boolean;
}

/** What `copyFiles` is given: a file or directory, and what of it. */
export interface Copied {
  source: ContentSource;
  name: string;
  node: Leaf | Directory;
  selected: readonly Selected[];
}

const ROOT_OWNED: Ownership = { uid: 0, gid: 0 };
const DIRECTORY_MODE = 0o755;

/**
 * @param path absolute, in the stage; a last `/` or `/.` means a directory
 * @throws DockerfileError in BuildKit's words
 */
export function copyFiles(
  destination: Destination,
  copied: Copied,
  path: string,
  options: CopyOptions,
): void {
  new Copier(destination, copied.source, options).copy(copied, path);
}

/** A destination as an instruction has it, absolute, with its last slash (BuildKit's pathRelativeToWorkingDir and cleanPath). */
export function destinationPath(text: string, workdir: string): string {
  const written = text === '' || text === '.' ? './' : text;
  const path = posix.normalize(posix.join('/', written.startsWith('/') ? '' : workdir, written));
  const plain = path.length > 1 ? path.replace(/\/$/, '') : path;
  if (written.endsWith('/.')) return plain === '/' ? '/.' : `${plain}/.`;
  return written.endsWith('/') && plain !== '/' ? `${plain}/` : plain;
}

class Copier {
  readonly #destination: Destination;
  readonly #source: ContentSource;
  readonly #options: CopyOptions;
  /** Files that were copied, for their other names. */
  readonly #copied = new Map<Leaf, PlannedLeaf>();

  constructor(destination: Destination, source: ContentSource, options: CopyOptions) {
    this.#destination = destination;
    this.#source = source;
    this.#options = options;
  }

  copy({ name, node, selected }: Copied, path: string): void {
    const names = namesOf(path);
    const isWhole = path.endsWith('/') || path.endsWith('/.');
    this.#makeAll(this.#destination.resolve(isWhole ? names : names.slice(0, -1)));
    const target = this.#destination.resolve(names);
    const there = this.#destination.at(target);
    const { contentsOnly } = this.#options;
    const intoIt = isDirectory(node) ? !contentsOnly && there !== undefined : there instanceof WorkDirectory;
    if (intoIt && name !== '') target.push(name);
    if (isDirectory(node)) {
      // What `--parents` cuts off is made as any directory on the way.
      if (contentsOnly && there === undefined) this.#makeAll(target);
      this.#directory(target, node, selected);
      return;
    }
    const base = target.pop();
    const parent = this.#makeAll(target);
    if (base === undefined) throw new DockerfileError('cannot replace to directory / with file');
    this.#leaf(parent, base, node);
  }

  #makeAll(names: readonly string[]): WorkDirectory {
    const { mode, owner } = this.#options;
    return this.#destination.makeAll(names, mode?.parents ?? DIRECTORY_MODE, owner ?? ROOT_OWNED);
  }

  /** The directory that was named: if it is there already it keeps its attributes and gets the time. */
  #directory(target: readonly string[], source: Directory, selected: readonly Selected[]): void {
    const there = this.#destination.at(target);
    if (there !== undefined && !(there instanceof WorkDirectory)) throw nonDirectory(target);
    const parent = this.#makeAll(target.slice(0, -1));
    const entry = this.#entryOf(source.entry ?? PLAIN_DIRECTORY);
    const directory = there ?? this.#destination.putDirectory(parent, target.at(-1) ?? '', entry);
    this.#inside(directory, target, selected);
    directory.become({ mtime: entry.mtime });
  }

  #inside(top: WorkDirectory, path: readonly string[], selected: readonly Selected[]): void {
    const open = [top];
    const names = [...path];
    for (const step of selected) {
      const parent = open.at(-1) ?? top;
      if (step.kind === 'leaf') this.#leaf(parent, step.name, step.leaf, names);
      else if (step.kind === 'open') {
        names.push(step.name);
        open.push(this.#open(parent, names, step));
      } else {
        names.pop();
        open.pop();
        if (step.chosen) this.#finish(parent, step.directory);
      }
    }
  }

  #open(
    parent: WorkDirectory,
    names: string[],
    { name, directory }: { name: string; directory: Directory },
  ): WorkDirectory {
    const there = parent.children.get(name)?.node;
    const source = directory.entry ?? PLAIN_DIRECTORY;
    if (there === undefined) return this.#destination.putDirectory(parent, name, this.#entryOf(source));
    if (!(there instanceof WorkDirectory)) throw nonDirectory(names);
    there.become({ mode: source.mode });
    return there;
  }

  /** Times are the source's, too, now that nothing more goes into it. */
  #finish(directory: WorkDirectory, source: Directory): void {
    const entry = this.#entryOf(source.entry ?? PLAIN_DIRECTORY);
    const xattrs = united(directory.entry?.xattrs ?? [], entry.xattrs);
    directory.become({ ...entry, xattrs });
  }

  #leaf(parent: WorkDirectory, name: string, leaf: Leaf, path?: readonly string[]): void {
    const there = parent.children.get(name)?.node;
    if (there !== undefined && isDirectory(there)) {
      const full = path === undefined ? [...pathOf(parent), name] : [...path, name];
      throw new DockerfileError(`cannot replace to directory ${shown(full)} with file`);
    }
    const known = leaf.entry.type === 'file' ? this.#copied.get(leaf) : undefined;
    const planned = known ?? this.#planned(leaf);
    if (known === undefined && leaf.entry.type === 'file') this.#copied.set(leaf, planned);
    this.#destination.put(parent, name, planned);
  }

  #planned(leaf: Leaf): PlannedLeaf {
    return {
      entry: this.#entryOf(leaf.entry),
      layer: 0,
      ordinal: 0,
      path: '',
      origin: { source: this.#source, leaf },
    };
  }

  #entryOf(entry: TarEntry): TarEntry {
    const { owner, mode } = this.#options;
    const changed = { ...entry, ...owner, name: '' };
    if (mode !== null && entry.type !== 'symlink') {
      changed.mode = mode.apply(entry.mode, entry.type === 'directory');
    }
    return changed;
  }
}

function nonDirectory(names: readonly string[]): DockerfileError {
  return new DockerfileError(`cannot copy to non-directory: ${shown(names)}`);
}

/** Where a directory is, for an error. */
function pathOf(directory: WorkDirectory): string[] {
  const names: string[] = [];
  for (let at = directory; at.parent !== null; at = at.parent) {
    for (const [name, { node }] of at.parent.children) if (node === at) names.unshift(name);
  }
  return names;
}

function united(there: Xattrs, added: Xattrs): Xattrs {
  if (added.length === 0) return there;
  return [...new Map([...there, ...added])].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
