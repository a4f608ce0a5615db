/** Wildcards in sources: Go's filepath.Match, name by name (fsutil, copy/copy.go: ResolveWildcards). */
import { type Directory, isDirectory, type Leaf } from '../../images/layers/tree.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import { compilePathPattern, type PathPattern } from '../path-pattern.ts';
import { sorted } from '../tree/emit.ts';
import { textOf } from '../tree/text.ts';

export function hasWildcards(text: string): boolean {
  return /^(?:[^\\*?[]|\\[^])*[*?[]/.test(text);
}

/** The names in front of the first one with wildcards, and the rest; a rest without names when there is none. */
export function splitWildcards(names: readonly string[]): { literal: string[]; patterns: string[] } {
  const first = names.findIndex(hasWildcards);
  const at = first < 0 ? names.length : first;
  return { literal: names.slice(0, at), patterns: names.slice(at) };
}

/**
 * Everything in a directory that the patterns match, one a level, by name. Links in between are not followed.
 * @throws DockerfileError for a pattern that is none
 */
export function matching(
  top: Directory,
  patterns: readonly string[],
): { names: string[]; node: Leaf | Directory }[] {
  const compiled = patterns.map((pattern) => {
    const found = compilePathPattern(withoutDoubleStars(textOf(pattern)));
    if (found === undefined) throw new DockerfileError('syntax error in pattern');
    return found;
  });
  const found: { names: string[]; node: Leaf | Directory }[] = [];
  descend(top, [], compiled, found);
  return found;
}

function descend(
  directory: Directory,
  names: string[],
  patterns: readonly PathPattern[],
  found: { names: string[]; node: Leaf | Directory }[],
): void {
  const pattern = patterns[names.length];
  for (const [name, { node }] of sorted(directory)) {
    if (pattern?.(textOf(name)) !== true) continue;
    const path = [...names, name];
    if (path.length === patterns.length) found.push({ names: path, node });
    else if (isDirectory(node)) descend(node, path, patterns, found);
  }
}

/** Two stars are one here. In a class, or behind a backslash, a star is none. */
function withoutDoubleStars(pattern: string): string {
  return pattern.replaceAll(/\\[^]|\[(?:\\[^]|[^\]\\])*\]?|\*+/g, (piece) => {
    return piece.startsWith('*') ? '*' : piece;
  });
}
