/** What the parsers of the instructions share. */
import { trim } from '../characters.ts';
import { DockerfileError } from '../error.ts';
import type { Arguments, SyntaxNode } from '../syntax/tree.ts';
import type { Command, Written } from './types.ts';

export function written(node: SyntaxNode): Written {
  return { source: trim(node.source), lines: node.lines };
}

/** The arguments one by one, however they are written. */
export function wordsOf(node: SyntaxNode): string[] {
  return wordsIn(node.arguments);
}

function wordsIn(given: Arguments): string[] {
  if (given.form === 'json') return given.values;
  if (given.form === 'words') return given.words;
  return given.form === 'text' ? [given.text] : [];
}

/** A command in the JSON form or for the shell. */
export function commandIn(given: Arguments): Command {
  return { shell: given.form !== 'json', words: wordsIn(given) };
}

/** @throws DockerfileError */
export function exactlyOne(node: SyntaxNode, name: string): string {
  const [word, ...more] = wordsOf(node);
  if (word === undefined || more.length > 0) {
    throw new DockerfileError(`${name} requires exactly one argument`);
  }
  return word;
}

export function atLeastOne(name: string): DockerfileError {
  return new DockerfileError(`${name} requires at least one argument`);
}
