/** Which files a source of COPY and ADD means (BuildKit: dockerfile2llb/convert_copy.go, cache/contenthash, solver/llbsolver/file). */
import { posix } from 'node:path';

import { type Directory, followLinks, isDirectory, type Leaf, nodeAt } from '../../images/layers/tree.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import { isSocket } from '../tree/directory-tree.ts';
import { Pauses } from '../tree/pause.ts';
import type { SourceTree } from '../tree/source-tree.ts';
import { textOf } from '../tree/text.ts';
import { namesOf } from './destination.ts';
import { notFound, sourceFailure, systemFailure } from './failure.ts';
import { type Selected, Selection } from './selection.ts';
import { hasWildcards, matching, splitWildcards } from './wildcards.ts';

/** One file or directory to be copied. */
export interface Match {
  source: SourceTree;
  /** What it is called if it goes into a directory; empty for the root. */
  name: string;
  node: Leaf | Directory;
  /** What is copied of a directory. */
  selected: Selected[];
}

export interface SourceQuestion {
  /** As the evaluated instruction has it. */
  text: string;
  parents: boolean;
  exclude: readonly string[];
  signal?: AbortSignal | undefined;
}

/**
 * What a source means; nothing for wildcards that match nothing.
 * @throws DockerfileError in BuildKit's words when it is not there.
 */
export async function matchesOf(source: SourceTree, question: SourceQuestion): Promise<Match[]> {
  const root = await source.open();
  const { text, include, required } = parted(question);
  const names = namesOf(text);
  const selection = new Selection({ include, exclude: question.exclude });
  const { literal, patterns } = splitWildcards(names);
  const found: Match[] = [];
  if (patterns.length > 0) {
    for (const { node, name } of wildcards(source, root, literal, patterns)) {
      found.push(await matchOf(source, { name, node }, selection, question.signal));
    }
  } else {
    const node = followed(source, root, names);
    if (node === undefined) {
      if (include === null && question.exclude.length === 0) throw notFound(source, shownPath(names));
      if (required === null) throw systemFailure('lstat', names, 'no such file or directory');
    } else {
      // Where BuildKit makes an empty file: nobody names a socket for that.
      if (isSocket(node)) throw sourceFailure(source, `${JSON.stringify(shownPath(names))}: is a socket`);
      const name = names.at(-1) ?? '';
      found.push(await matchOf(source, { name, node }, selection, question.signal));
    }
  }
  const isThere = required === null || found.some((match) => reaches(match, names, required));
  if (!isThere) throw notFound(source, shownPath(required ?? []));
  return found;
}

/** `--parents`: where the path is cut, and what has to be there. */
function parted({ text, parents }: SourceQuestion): {
  text: string;
  include: string | null;
  required: string[] | null;
} {
  if (!parents) return { text, include: null, required: null };
  const pivot = text.indexOf('/./');
  const top = pivot < 0 ? '/' : text.slice(0, pivot);
  const below = pivot < 0 ? text : text.slice(pivot + 3);
  const pattern = below.startsWith('/') ? below : posix.join('/', below);
  const isFixed = !hasWildcards(top) && !hasWildcards(pattern);
  return {
    text: top,
    include: pattern.replace(/^\//, ''),
    required: isFixed ? namesOf(`${top}/${pattern}`) : null,
  };
}

/** A match with what is copied of it. Directories are read meanwhile: signals and output come in between. */
export async function matchOf(
  source: SourceTree,
  { name, node }: Pick<Match, 'name' | 'node'>,
  selection: Selection,
  signal?: AbortSignal,
): Promise<Match> {
  const selected: Selected[] = [];
  const pauses = new Pauses(signal);
  for (const step of isDirectory(node) ? selection.of(node) : []) {
    selected.push(step);
    await pauses.after(0);
  }
  return { source, name, node, selected };
}

function* wildcards(
  source: SourceTree,
  root: Directory,
  literal: string[],
  patterns: string[],
): Generator<{ node: Leaf | Directory; name: string }> {
  const resolved = resolve(source, root, literal);
  const top = nodeAt(root, resolved);
  if (top === undefined) throw systemFailure('lstat', resolved, 'no such file or directory');
  if (!isDirectory(top)) return;
  for (const { names } of inWords(source, () => matching(top, patterns))) {
    const path = [...resolved, ...names];
    const node = followed(source, root, path);
    if (node === undefined) throw notFound(source, shownPath(path));
    yield { node, name: names.at(-1) ?? '' };
  }
}

function inWords<T>(source: SourceTree, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof DockerfileError ? sourceFailure(source, error.message) : error;
  }
}

/** What is at a path, a link there followed, too. */
function followed(
  source: SourceTree,
  root: Directory,
  names: readonly string[],
): Leaf | Directory | undefined {
  return nodeAt(root, resolve(source, root, names));
}

function resolve(source: SourceTree, root: Directory, names: readonly string[]): string[] {
  const found = followLinks(root, names);
  if (found === null) throw sourceFailure(source, 'too many links');
  return found;
}

/** True when something that is chosen has a path that begins with the required one, as BuildKit looks at it. */
function reaches({ node, selected }: Match, names: readonly string[], required: readonly string[]): boolean {
  const wanted = required.join('/');
  if (!isDirectory(node)) return names.join('/').startsWith(wanted);
  const path = [...names];
  for (const step of selected) {
    if (step.kind === 'close') path.pop();
    else {
      path.push(step.name);
      if ((step.kind === 'leaf' || step.chosen) && path.join('/').startsWith(wanted)) return true;
      if (step.kind === 'leaf') path.pop();
    }
  }
  return false;
}

function shownPath(names: readonly string[]): string {
  return `/${textOf(names.join('/'))}`;
}
