/** What the operators of `${name…}` make of a value. */
import { DockerfileError } from '../error.ts';
import { type Budget, findMatch, parsePattern, type ShellPattern } from './shell-pattern.ts';

/** `#` and `##` take a prefix away, `%` and `%%` a suffix; the doubled ones the longest. */
export function removeMatch(value: string, operator: '#' | '%', word: string, budget: Budget): string {
  const longest = word.startsWith(operator);
  const pattern = parsePattern(longest ? word.slice(1) : word);
  const characters = Array.from(value);
  const options = { from: 0, anchored: true, longest };
  if (operator === '#') {
    const match = findMatch(pattern, characters, options, budget);
    return match === undefined ? value : characters.slice(match.end).join('');
  }
  // The shortest suffix is the shortest prefix of everything turned round.
  const match = findMatch(pattern.toReversed(), characters.toReversed(), options, budget);
  return match === undefined ? value : characters.slice(0, characters.length - match.end).join('');
}

/** `/` replaces the first match, `//` each. `limit` is the greatest length of the result. */
export function replaceMatches(
  value: string,
  change: { pattern: string; replacement: string; all: boolean },
  limit: number,
  budget: Budget,
): string {
  const pattern: ShellPattern = parsePattern(change.pattern);
  const characters = Array.from(value);
  let result = '';
  let from = 0;
  let lastEnd = -1;
  while (from <= characters.length) {
    const match = findMatch(pattern, characters, { from, anchored: false, longest: true }, budget);
    if (match === undefined) break;
    const empty = match.start === match.end;
    result += characters.slice(from, match.start).join('');
    // Nothing is no match right behind another one.
    if (!empty || match.start !== lastEnd) result += change.replacement;
    if (result.length > limit) throw tooLong();
    lastEnd = match.end;
    from = match.end;
    if (!change.all) break;
    if (empty) {
      result += characters[from] ?? '';
      from++;
    }
  }
  return result + characters.slice(from).join('');
}

/** Texts that grow without end, by variables that hold variables that hold variables. */
export function tooLong(): DockerfileError {
  return new DockerfileError('expanded text is too long');
}
