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
  const words = before.slice(before.indexOf(verbs[0] ?? '') + found.path.split(' ').length);
  const { count: operands, waiting } = operandsOf(command, words);
  // A flag waits for its value: without values of its own only its user knows it.
  if (waiting !== undefined) return valuesOf(waiting, names);
  const glued = /^(--[^=]+)=/.exec(current);
  if (glued !== null) {
    const values = await valuesOf(flagNamed(command, glued[1] ?? ''), names);
    return values.map((value) => `${glued[0]}${value}`);
  }
  if (current.startsWith('-')) return flagsOf(command);
  const noun = nounOf(command, operands);
  return noun === undefined ? [] : names(noun);
}

function flagsOf(command: Command): string[] {
  return Object.entries(command.flags)
    .filter(([, spec]) => spec.hidden !== true && spec.refused === undefined)
    .map(([name]) => `--${name}`)
    .toSorted();
}

async function valuesOf(spec: FlagSpec | undefined, names: Names): Promise<string[]> {
  if (spec?.values === undefined) return [];
  return spec.values === 'image' ? names('image') : [...spec.values];
}

/** How many operands stand before the cursor, and the flag that waits for its value there. */
function operandsOf(
  command: Command,
  words: readonly string[],
): { count: number; waiting: FlagSpec | undefined } {
  let count = 0;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) {
      count += 1;
      continue;
    }
    const flag = flagNamed(command, word);
    if (word.includes('=') || flag?.kind === 'bool') continue;
    index += 1;
    if (index >= words.length) return { count, waiting: flag ?? UNKNOWN };
  }
  return { count, waiting: undefined };
}

/** What might wait for a value behind a flag that there is not. */
const UNKNOWN: FlagSpec = { kind: 'string', help: '' };

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
