/** What a build prints of a step: `[stage 2/3] RUN make` (BuildKit's dockerfile2llb, prefixCommand). Pure. */
import { trim } from '../characters.ts';
import { DockerfileError } from '../error.ts';
import type { Instruction, Run } from '../instructions/types.ts';
import type { PlannedStage } from '../plan/types.ts';
import { heredocName } from '../syntax/heredoc.ts';
import type { Escape } from '../syntax/tree.ts';
import { expand, type Variables, type WordOptions } from '../words/expand.ts';

/** Stands for the value of a secret. */
const MASK = '****';

/**
 * The instruction as it is written, with the variables that are set before it. Quotes of a RUN stay, and so do variables that the shell
 * may know.
 */
export function stepText(instruction: Instruction, variables: Variables, escape: Escape): string {
  if (instruction.kind !== 'run') return capital(expanded(instruction.source, variables, { escape }));
  const text = `${instruction.source}${summary(instruction)}`;
  const options = { escape, keepQuotes: true, keepUnset: true };
  return capital(expanded(text, masked(instruction, variables), options));
}

/** `number` counts from 1. A stage without steps has no brackets. */
export function stepLine(
  { label, steps }: Pick<PlannedStage, 'label' | 'steps'>,
  number: number,
  text: string,
  trigger: boolean,
): string {
  if (steps === 0) return text;
  const place = `${String(number).padStart(String(steps).length)}/${steps}`;
  return `[${label === '' ? '' : `${label} `}${place}] ${trigger ? 'ONBUILD ' : ''}${text}`;
}

/** A heredoc that is the whole command shows how it begins. */
function summary({ words, documents }: Run): string {
  const [document] = documents;
  if (document === undefined || heredocName(words[0] ?? '') === undefined) return '';
  const [first = '', ...more] = trim(document.content).split(/\r?\n/);
  return ` (${first}${more.length > 0 ? '...' : ''})`;
}

function masked({ mounts }: Run, variables: Variables): Variables {
  const secrets = new Set(mounts.flatMap(({ env }) => env ?? []));
  return { get: (name) => (secrets.has(name) ? MASK : variables.get(name)) };
}

function expanded(text: string, variables: Variables, options: WordOptions): string {
  try {
    return expand(text, variables, options).text;
  } catch (error) {
    // What is for the shell need not be right here.
    if (error instanceof DockerfileError) return text;
    throw error;
  }
}

function capital(text: string): string {
  const [word = ''] = text.split(' ', 1);
  return word.toUpperCase() + text.slice(word.length);
}
