/** ONBUILD. */
import { DockerfileError } from '../error.ts';
import type { SyntaxNode } from '../syntax/tree.ts';
import { parseFlags } from './flag-values.ts';
import type { Onbuild } from './types.ts';
import { atLeastOne, written } from './words-of.ts';

const KEYWORD = /^\s*ONBUILD\s*/i;

/** @throws DockerfileError for triggers that cannot be. What the trigger says is looked at when it is pulled. */
export function parseOnbuild(node: SyntaxNode): Onbuild {
  if (node.arguments.form !== 'instruction') throw atLeastOne('ONBUILD');
  parseFlags(node.flags, {});
  const trigger = node.arguments.instruction.word.toUpperCase();
  if (trigger === 'ONBUILD') {
    throw new DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (trigger === 'MAINTAINER' || trigger === 'FROM') {
    throw new DockerfileError(`${trigger} isn't allowed as an ONBUILD trigger`);
  }
  const documents = node.heredocs.map(({ name, content }) => `\n${content}${name}`);
  const expression = [node.source.replace(KEYWORD, ''), ...documents].join('');
  return { kind: 'onbuild', ...written(node), expression };
}
