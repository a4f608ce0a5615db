/**
 * Applies layers, lowest first, to a tree: the rules of the OCI image specification ("Applying Changesets"), and where it says nothing,
 * those of containerd's archive.Apply.
 */
import { layerError, MAX_NAME_BYTES, MAX_PATH_BYTES, quoted } from './limits.ts';
import type { TarEntry } from './tar/entry.ts';
import {
  componentsOf,
  type Directory,
  emptyDirectory,
  followLinks,
  isDirectory,
  type Leaf,
  nodeAt,
} from './tree.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** aufs' own files, which some old images carry. */
const AUFS_METADATA = '.wh..wh.';

/**
 * What an entry of the lowest layer did to the tree. As long as things are only added, a tar can be written that follows step by step;
 * after `changed` it cannot, because something that it has already is not so any more.
 */
export type Effect =
  | { kind: 'added'; path: string; entry: TarEntry }
  /** A second name, `path`, for what is at `target`. */
  | { kind: 'linked'; path: string; target: string; entry: TarEntry }
  | { kind: 'nothing' }
  | { kind: 'changed' };

const NOTHING: Effect = { kind: 'nothing' };
const CHANGED: Effect = { kind: 'changed' };

export class Merge {
  readonly root: Directory;
  #layer: number;
  #digest = '';
  #ordinal = -1;

  /** @param root what is there already, made of `below` layers; it is changed. */
  constructor(root: Directory = emptyDirectory(null), below = 0) {
    this.root = root;
    this.#layer = below - 1;
  }

  /** Begins the next layer. @param digest for errors. */
  nextLayer(digest: string): void {
    this.#layer += 1;
    this.#digest = digest;
    this.#ordinal = -1;
  }

  /**
   * Applies the next entry of the layer.
   * @throws A3sError `image_broken` naming the layer and the entry.
   */
  apply(entry: TarEntry): Effect {
    this.#ordinal += 1;
    const cleaned = componentsOf(entry.name);
    const base = cleaned.pop();
    if (base === undefined) return this.#applyToRoot(entry);
    const parent = this.#resolve(cleaned, entry);
    if (base.startsWith(WHITEOUT)) return this.#whiteout(parent, base, entry);
    const names = [...parent, base];
    const path = names.join('/');
    if (base.length > MAX_NAME_BYTES) this.#fail(entry, `has a name of more than ${MAX_NAME_BYTES} bytes`);
    if (path.length > MAX_PATH_BYTES) this.#fail(entry, `is at a path of more than ${MAX_PATH_BYTES} bytes`);
    const target = entry.type === 'hardlink' ? this.#linkTarget(entry) : null;
    if (target?.names.join('/') === path) this.#fail(entry, 'is a hard link to itself');
    const directory = this.#makeParents(parent, entry);
    if (target === null) return this.#put(directory, base, path, entry);
    return this.#link(directory, base, path, entry, target);
  }

  /** A root that is no directory is left aside, as Docker does. */
  #applyToRoot(entry: TarEntry): Effect {
    if (entry.type !== 'directory') return NOTHING;
    this.root.entry = entry;
    return { kind: 'added', path: '', entry };
  }

  #put(directory: Directory, name: string, path: string, entry: TarEntry): Effect {
    const there = directory.children.get(name);
    const added: Effect = { kind: 'added', path, entry };
    if (there !== undefined && isDirectory(there.node) && entry.type === 'directory') {
      const known = there.node.entry;
      there.node.entry = entry;
      there.layer = this.#layer;
      if (known === null) return added;
      return isSame(known, entry) ? NOTHING : CHANGED;
    }
    const node =
      entry.type === 'directory'
        ? emptyDirectory(entry)
        : { entry, layer: this.#layer, ordinal: this.#ordinal, path: '' };
    directory.children.set(name, { node, layer: this.#layer });
    return there === undefined ? added : CHANGED;
  }

  #link(
    directory: Directory,
    name: string,
    path: string,
    entry: TarEntry,
    target: { node: Leaf; names: readonly string[] },
  ): Effect {
    const there = directory.children.get(name);
    const { node } = target;
    directory.children.set(name, { node, layer: this.#layer });
    const { mode, uid, gid, mtime } = entry;
    const changed = { ...node.entry, mode, uid, gid, mtime };
    // The header of a link speaks of the file, too.
    const isUnlike = node.entry.type !== 'symlink' && !isSame(node.entry, changed);
    if (isUnlike) node.entry = changed;
    if (there !== undefined || isUnlike) return CHANGED;
    return { kind: 'linked', path, target: target.names.join('/'), entry };
  }

  #linkTarget(entry: TarEntry): { node: Leaf; names: readonly string[] } {
    const cleaned = componentsOf(entry.link);
    const base = cleaned.pop();
    const names = base === undefined ? [] : [...this.#resolve(cleaned, entry), base];
    const node = nodeAt(this.root, names);
    if (node === undefined) this.#fail(entry, `is a hard link to ${quoted(entry.link)}, which is not there`);
    if (isDirectory(node)) this.#fail(entry, `is a hard link to ${quoted(entry.link)}, which is a directory`);
    return { node, names };
  }

  #whiteout(parent: readonly string[], base: string, entry: TarEntry): Effect {
    const directory = nodeAt(this.root, parent);
    const hidden = base.slice(WHITEOUT.length);
    if (base !== OPAQUE && ['', '.', '..'].includes(hidden)) this.#fail(entry, 'is a whiteout of no name');
    if (directory === undefined || !isDirectory(directory)) return NOTHING;
    if (base === OPAQUE) this.#hideLower(directory);
    else if (!base.startsWith(AUFS_METADATA)) this.#hideName(directory, hidden);
    return NOTHING;
  }

  /** Whiteouts hide what lower layers have, never what the same layer brings, wherever in the layer they stand. */
  #hideName(directory: Directory, name: string): void {
    const child = directory.children.get(name);
    if (child === undefined) return;
    if (child.layer !== this.#layer) directory.children.delete(name);
    else if (isDirectory(child.node)) this.#hideLower(child.node);
  }

  #hideLower(top: Directory): void {
    const open = [top];
    for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
      // What it has got since is of this layer: layers with a million markers must not take forever.
      if (directory.opaqueIn === this.#layer) continue;
      directory.opaqueIn = this.#layer;
      for (const [name, { node, layer }] of directory.children) {
        if (layer !== this.#layer) directory.children.delete(name);
        else if (isDirectory(node)) open.push(node);
      }
    }
  }

  /** The directories on the way, made where they are missing and noted as this layer's. */
  #makeParents(names: readonly string[], entry: TarEntry): Directory {
    let directory = this.root;
    for (const name of names) {
      let child = directory.children.get(name);
      if (child === undefined || !isDirectory(child.node)) {
        // A lower layer's file gives way, as it does in an overlay of directories.
        if (child?.layer === this.#layer) this.#fail(entry, 'is below something that is no directory');
        if (name.length > MAX_NAME_BYTES)
          this.#fail(entry, `has a name of more than ${MAX_NAME_BYTES} bytes`);
        child = { node: emptyDirectory(null), layer: this.#layer };
        directory.children.set(name, child);
      }
      child.layer = this.#layer;
      if (isDirectory(child.node)) directory = child.node;
    }
    return directory;
  }

  #resolve(path: readonly string[], entry: TarEntry): string[] {
    const names = followLinks(this.root, path);
    if (names === null) this.#fail(entry, 'is at the end of too many symbolic links');
    return names;
  }

  #fail(entry: TarEntry, what: string): never {
    throw layerError(this.#digest, `entry ${quoted(entry.name)} ${what}`);
  }
}

/** True when both stand for the same inode. */
function isSame(one: TarEntry, other: TarEntry): boolean {
  const { mode, uid, gid, mtime, xattrs } = other;
  const isLike = one.mode === mode && one.uid === uid && one.gid === gid && one.mtime === mtime;
  return isLike && JSON.stringify(one.xattrs) === JSON.stringify(xattrs);
}
