/** The file system that layers add up to, in memory: names and attributes, and where each file's content lies. */
import { MAX_LINKS_FOLLOWED } from './limits.ts';
import type { TarEntry } from './tar/entry.ts';

/** Anything but a directory; hard links share one. */
export interface Leaf {
  /** What it is: never a hard link itself. A link's own header may have changed its attributes. */
  entry: TarEntry;
  /** Where its content is: the layer, 0 the lowest, and which of the layer's entries. */
  layer: number;
  ordinal: number;
  /** The first of its names in the finished tree; empty until the tree is written. */
  path: string;
}

export interface Directory {
  /** Null when no layer has an entry for it. */
  entry: TarEntry | null;
  children: Map<string, Child>;
  /** The last layer that hid what lower layers have here. */
  opaqueIn: number;
}

/** A name in a directory. */
export interface Child {
  node: Leaf | Directory;
  /** The last layer that put something at this name or below. */
  layer: number;
}

/** What a directory is that no layer and no archive has an entry for. */
export const PLAIN_DIRECTORY: TarEntry = {
  type: 'directory',
  name: '',
  link: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  size: 0,
  major: 0,
  minor: 0,
  xattrs: [],
  sparse: null,
};

export function isDirectory(node: Leaf | Directory): node is Directory {
  return 'children' in node;
}

export function emptyDirectory(entry: TarEntry | null): Directory {
  return { entry, children: new Map(), opaqueIn: -1 };
}

/**
 * The components of a path, cleaned as text and confined to the root: `..` above it stays there. Symbolic links are not looked at,
 * as in Go's filepath.Clean, which containerd and Docker apply to every name first.
 */
export function componentsOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}

/**
 * Where a directory path leads, each symbolic link on the way followed inside the root, as containerd's fs.RootPath does. What is not
 * there counts as a directory.
 * @returns null when links lead in circles.
 */
export function followLinks(root: Directory, path: readonly string[]): string[] | null {
  const ahead = path.toReversed();
  // The way so far, and what is there: undefined is nothing yet.
  const names: string[] = [];
  const nodes: (Leaf | Directory | undefined)[] = [root];
  for (let followed = 0; ;) {
    const name = ahead.pop();
    if (name === undefined) return names;
    if (name === '..') {
      if (names.pop() !== undefined) nodes.pop();
      continue;
    }
    const here = nodes.at(-1);
    const node = here !== undefined && isDirectory(here) ? here.children.get(name)?.node : undefined;
    if (node === undefined || isDirectory(node) || node.entry.type !== 'symlink') {
      names.push(name);
      nodes.push(node);
      continue;
    }
    followed += 1;
    if (followed > MAX_LINKS_FOLLOWED) return null;
    const { link } = node.entry;
    if (link.startsWith('/')) {
      names.length = 0;
      nodes.length = 1;
    }
    for (const part of link.split('/').toReversed()) if (part !== '' && part !== '.') ahead.push(part);
  }
}

/** What is at a place; undefined when nothing is. */
export function nodeAt(root: Directory, names: readonly string[]): Leaf | Directory | undefined {
  let node: Leaf | Directory | undefined = root;
  for (const name of names) {
    if (node === undefined || !isDirectory(node)) return undefined;
    node = node.children.get(name)?.node;
  }
  return node;
}

/** Every name below a directory, parents first, with its path. Iterative: layers decide how deep it goes. */
export function* walk(root: Directory): Generator<[path: string, node: Leaf | Directory]> {
  const open: [path: string, children: Iterator<[string, Child]>][] = [['', root.children.entries()]];
  for (;;) {
    const last = open.at(-1);
    if (last === undefined) return;
    const next = last[1].next();
    if (next.done === true) {
      open.pop();
      continue;
    }
    const [name, { node }] = next.value;
    const path = last[0] === '' ? name : `${last[0]}/${name}`;
    yield [path, node];
    if (isDirectory(node)) open.push([path, node.children.entries()]);
  }
}
