/**
 * Patterns in substitutions: `*` any characters, `?` one, `\` before a special one takes its meaning away (POSIX shell patterns
 * without brackets, as BuildKit has them). Matched by simulation, never by backtracking, so that no pattern is slow.
 */
import { DockerfileError } from '../error.ts';

/** One place of a pattern: a character, any one, or any number of any. Those stand for no line feed. */
type Place = { character: string } | 'one' | 'many';
export type ShellPattern = readonly Place[];

/** @throws DockerfileError for an escape that escapes nothing. */
export function parsePattern(text: string): ShellPattern {
  const characters = Array.from(text);
  const places: Place[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') places.push('many');
    else if (character === '?') places.push('one');
    else if (character === '\\') {
      at++;
      places.push({ character: escaped(text, characters[at]) });
    } else places.push({ character });
  }
  return places;
}

function escaped(pattern: string, character: string | undefined): string {
  // `/` and `}` would end the pattern without an escape.
  if (character !== undefined && '*?\\/}'.includes(character)) return character;
  throw new DockerfileError(
    `invalid pattern (${pattern}) in substitution: invalid escape '\\${character ?? ''}'`,
  );
}

/** Counts what matching costs, so that one word cannot take for ever. */
export interface Budget {
  steps: number;
}

export interface Match {
  start: number;
  end: number;
}

export interface MatchOptions {
  /** Where the search begins, an index of `text`. */
  from: number;
  /** The match must begin there. */
  anchored: boolean;
  /** The longest match, else the shortest. */
  longest: boolean;
}

/**
 * The leftmost match, undefined when there is none.
 * @throws DockerfileError when the budget is used up.
 */
export function findMatch(
  pattern: ShellPattern,
  text: readonly string[],
  { from, anchored, longest }: MatchOptions,
  budget: Budget,
): Match | undefined {
  // Where the match began that has come to each place: the leftmost is the only one of interest.
  let begun = new Map<number, number>();
  let found: Match | undefined;
  for (let at = from; at <= text.length; at++) {
    if (found === undefined && (at === from || !anchored) && !begun.has(0)) begun.set(0, at);
    if (begun.size === 0) break;
    begun = throughMany(pattern, begun, found);
    spend(budget, begun.size + 1);
    const start = begun.get(pattern.length);
    if (start !== undefined && (found === undefined || start <= found.start)) {
      found = { start, end: at };
      if (!longest) return found;
    }
    begun = step(pattern, begun, text[at]);
  }
  return found;
}

/** `many` may also be nothing: the place behind it is reached as well. */
function throughMany(
  pattern: ShellPattern,
  begun: ReadonlyMap<number, number>,
  found: Match | undefined,
): Map<number, number> {
  const all = new Map<number, number>();
  for (const [place, start] of begun) {
    if (found !== undefined && start > found.start) continue;
    for (let reached = place; ; reached++) {
      const known = all.get(reached);
      if (known !== undefined && known <= start) break;
      all.set(reached, start);
      if (pattern[reached] !== 'many') break;
    }
  }
  return all;
}

function step(
  pattern: ShellPattern,
  begun: ReadonlyMap<number, number>,
  character: string | undefined,
): Map<number, number> {
  const next = new Map<number, number>();
  if (character === undefined) return next;
  for (const [place, start] of begun) {
    const expected = pattern[place];
    if (expected === undefined) continue;
    const fits = typeof expected === 'string' ? character !== '\n' : expected.character === character;
    if (!fits) continue;
    const reached = expected === 'many' ? place : place + 1;
    next.set(reached, Math.min(start, next.get(reached) ?? start));
  }
  return next;
}

function spend(budget: Budget, steps: number): void {
  budget.steps -= steps;
  if (budget.steps < 0)
    throw new DockerfileError('substitution takes too long: the pattern or the value is too long');
}
