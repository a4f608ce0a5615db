/** What may stand where the cursor is: commands, flags, or names of boxes, images and volumes. */
import type { Command } from '../command.ts';
import type { FlagSpec } from '../flags/spec.ts';
import { find, groups, load, plain } from '../registry.ts';

export type Noun = 'box' | 'image' | 'volume';

/** The names there are of each kind. */
export type Names = (noun: Noun) => Promise<string[]>;

/**
 * Candidates that begin with the last word.
 * @param words the command line after the program's name, the word at the cursor last (it may be empty)
 */
export async function candidates(words: readonly string[], names: Names): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  return (await allCandidates(before, current, names)).filter((each) => each.startsWith(current));
}

async function allCandidates(before: readonly string[], current: string, names: Names): Promise<string[]> {
  const verbs = before.filter((word) => !word.startsWith('-'));
  if (verbs.length === 0) return [...new Set([...plain, ...Object.keys(groups), 'help'])].toSorted();
  const found = find(verbs);
  if (found.kind === 'group') return Object.keys(found.group.commands).toSorted();
  if (found.kind === 'unknown') return [];
  const command = await load(found.name);
  if (current.startsWith('-')) return flagsOf(command);
  const operands = operandsOf(
    command,
    before.slice(before.indexOf(verbs[0] ?? '') + found.path.split(' ').length),
  );
  // After a flag that takes a value: that value, which only its user knows.
  if (operands === null) return [];
  const noun = nounOf(command, operands);
  return noun === undefined ? [] : names(noun);
}

function flagsOf(command: Command): string[] {
  return Object.entries(command.flags)
    .filter(([, spec]) => spec.hidden !== true && spec.refused === undefined)
    .map(([name]) => `--${name}`)
    .toSorted();
}

/** How many operands stand before the cursor; null where a flag waits for its value. */
function operandsOf(command: Command, words: readonly string[]): number | null {
  let count = 0;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) {
      count += 1;
      continue;
    }
    if (word.includes('=') || flagNamed(command, word)?.kind === 'bool') continue;
    index += 1;
    if (index >= words.length) return null;
  }
  return count;
}

function flagNamed(command: Command, word: string): FlagSpec | undefined {
  if (word.startsWith('--')) return command.flags[word.slice(2)];
  return Object.values(command.flags).find(({ short }) => short === word.at(-1));
}

/** What the usage line calls the operand at this place. */
function nounOf({ usage }: Command, operands: number): Noun | undefined {
  const places = usage.replace('[OPTIONS]', '').match(/[A-Z_|:]+/g) ?? [];
  const repeats = usage.includes('...');
  const place = places[Math.min(operands, repeats ? places.length - 1 : operands)] ?? '';
  if (place.includes('BOX') || place.startsWith('NAME|ID')) return 'box';
  if (place.includes('IMAGE')) return 'image';
  return place.includes('VOLUME') ? 'volume' : undefined;
}
