/** What decides what a layer is, as one digest. */
import { createHash, type Hash } from 'node:crypto';

import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { isDirectory, type Leaf } from '../../images/layers/tree.ts';
import { PLAIN_DIRECTORY } from '../../images/layers/tree.ts';
import type { Match } from './sources.ts';

/** Names, types, modes, owners, links, attributes and contents of what is copied; not its times. */
export async function hashMatches(
  hash: Hash,
  matches: readonly Match[],
  signal?: AbortSignal,
): Promise<void> {
  for (const match of matches) {
    const leaves = leavesOf(match).filter(({ entry }) => entry.type === 'file');
    const digests = await match.source.digests(leaves, signal);
    hashMatch(hash, match, digests);
  }
}

function leavesOf({ node, selected }: Match): Leaf[] {
  if (!isDirectory(node)) return [node];
  return selected.flatMap((step) => (step.kind === 'leaf' ? [step.leaf] : []));
}

function hashMatch(hash: Hash, { name, node, selected }: Match, digests: ReadonlyMap<Leaf, string>): void {
  /** Other names of a file that was hashed say which one it is. */
  const numbers = new Map<Leaf, number>();
  const add = (name: string, entry: TarEntry, content: string): void => {
    const { type, mode, uid, gid, link, major, minor, xattrs } = entry;
    hash.update(`${JSON.stringify([name, type, mode, uid, gid, link, major, minor, xattrs, content])}\n`);
  };
  const addLeaf = (name: string, leaf: Leaf): void => {
    const number = numbers.get(leaf);
    if (number === undefined) numbers.set(leaf, numbers.size);
    const digest = digests.get(leaf) ?? '';
    add(name, leaf.entry, number === undefined || leaf.entry.type !== 'file' ? digest : `link ${number}`);
  };
  if (!isDirectory(node)) {
    addLeaf(name, node);
    return;
  }
  hash.update(`${JSON.stringify([name, 'top'])}\n`);
  for (const step of selected) {
    if (step.kind === 'leaf') addLeaf(step.name, step.leaf);
    else if (step.kind === 'open')
      add(step.name, step.directory.entry ?? PLAIN_DIRECTORY, String(step.chosen));
    else hash.update('close\n');
  }
}

/** The digest of a list of matches alone. */
export async function digestOf(matches: readonly Match[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await hashMatches(hash, matches, signal);
  return hash.digest('hex');
}
