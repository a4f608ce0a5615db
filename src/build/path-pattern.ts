/**
 * Patterns of paths with the semantics of moby/patternmatcher: Go's filepath.Match, and `**` for any number of directories. Matched by
 * simulation in one pass, never by backtracking, so that no pattern is slow.
 */

/** True for a path that the pattern matches as a whole. */
export type PathPattern = (path: string) => boolean;

interface Range {
  first: string;
  last: string;
}

type Place =
  | { kind: 'character'; character: string }
  | { kind: 'class'; ranges: Range[]; negated: boolean }
  /** `?`: a character, but no slash. */
  | { kind: 'one' }
  /** `*`: any number of characters, but no slashes. */
  | { kind: 'star' }
  /** `**` at the end: any number of any characters. */
  | { kind: 'all' }
  /** `**` before the end: nothing, or anything that ends with a slash. */
  | { kind: 'directories' };

/** What has a meaning in a pattern. */
const SPECIAL = /[*?[\\]/;

/** Undefined when the pattern breaks the syntax. */
export function compilePathPattern(pattern: string): PathPattern | undefined {
  if (!SPECIAL.test(pattern)) return (path) => path === pattern;
  const behind = pattern.slice(2);
  if (pattern.startsWith('**') && !SPECIAL.test(behind)) {
    // `**/x` is also x itself, and `**x` is whatever ends with x.
    return (path) => path.endsWith(behind) || `/${path}` === behind;
  }
  const before = pattern.slice(0, -2);
  if (pattern.endsWith('**') && !SPECIAL.test(before)) return (path) => path.startsWith(before);
  const places = parse(Array.from(pattern));
  return places === undefined ? undefined : (path) => matches(places, Array.from(path));
}

function parse(pattern: readonly string[]): Place[] | undefined {
  const places: Place[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*' && pattern[at + 1] === '*') {
      at++;
      if (pattern[at + 1] === '/') at++;
      places.push({ kind: at === pattern.length - 1 ? 'all' : 'directories' });
    } else if (character === '*') places.push({ kind: 'star' });
    else if (character === '?') places.push({ kind: 'one' });
    else if (character === '[') {
      const found = parseClass(pattern, at + 1);
      if (found === undefined) return undefined;
      places.push(found.place);
      at = found.end;
    } else if (character === '\\') {
      at++;
      const next = pattern[at];
      if (next === undefined) return undefined;
      places.push({ kind: 'character', character: next });
    } else places.push({ kind: 'character', character });
  }
  return places;
}

/** Behind a `[`. `end` is the index of the `]`. */
function parseClass(pattern: readonly string[], start: number): { place: Place; end: number } | undefined {
  let at = start;
  const negated = pattern[at] === '^';
  if (negated) at++;
  const ranges: Range[] = [];
  while (pattern[at] !== ']' || ranges.length === 0) {
    const first = parseClassCharacter(pattern, at);
    if (first === undefined) return undefined;
    at = first.next;
    let last = first;
    if (pattern[at] === '-') {
      const end = parseClassCharacter(pattern, at + 1);
      if (end === undefined) return undefined;
      last = end;
      at = end.next;
    }
    if (order(first.character) > order(last.character)) return undefined;
    ranges.push({ first: first.character, last: last.character });
  }
  return { place: { kind: 'class', ranges, negated }, end: at };
}

function parseClassCharacter(
  pattern: readonly string[],
  at: number,
): { character: string; next: number } | undefined {
  const character = pattern[at];
  if (character === undefined || character === '-' || character === ']') return undefined;
  if (character !== '\\') return { character, next: at + 1 };
  const escaped = pattern[at + 1];
  return escaped === undefined ? undefined : { character: escaped, next: at + 2 };
}

/** Follows every place that the text so far can have led to; they are at most as many as the pattern is long. */
function matches(places: readonly Place[], text: readonly string[]): boolean {
  let reached = new Reached(places);
  reached.enter(0);
  for (const character of text) {
    const next = new Reached(places);
    for (const index of reached.indices) next.step(index, character);
    if (next.indices.size === 0) return false;
    reached = next;
  }
  return reached.indices.has(places.length);
}

class Reached {
  readonly indices = new Set<number>();
  readonly #entered = new Set<number>();
  readonly #places: readonly Place[];

  constructor(places: readonly Place[]) {
    this.#places = places;
  }

  /** Comes to a place, and to those behind it if it may be nothing. */
  enter(index: number): void {
    for (let at = index; !this.#entered.has(at); at++) {
      this.#entered.add(at);
      this.indices.add(at);
      const kind = this.#places[at]?.kind;
      if (kind !== 'star' && kind !== 'all' && kind !== 'directories') return;
    }
  }

  /** Goes on from a place with one character. */
  step(index: number, character: string): void {
    const place = this.#places[index];
    if (place === undefined) return;
    switch (place.kind) {
      case 'character':
        if (character === place.character) this.enter(index + 1);
        return;
      case 'class':
        if (place.ranges.some((range) => inRange(range, character)) !== place.negated) this.enter(index + 1);
        return;
      case 'one':
        if (character !== '/') this.enter(index + 1);
        return;
      case 'star':
        if (character !== '/') this.enter(index);
        return;
      case 'all':
        this.enter(index);
        return;
      case 'directories':
        this.indices.add(index);
        if (character === '/') this.enter(index + 1);
        return;
      default:
        place satisfies never;
    }
  }
}

/** By code point. */
function inRange({ first, last }: Range, character: string): boolean {
  return order(first) <= order(character) && order(character) <= order(last);
}

function order(character: string): number {
  return character.codePointAt(0) ?? 0;
}
