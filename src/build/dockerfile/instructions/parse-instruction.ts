/** From the syntax tree to typed instructions (BuildKit's frontend/dockerfile/instructions). Pure. */
import { trim } from '../characters.ts';
import { DockerfileError } from '../error.ts';
import { suggest } from '../suggest.ts';
import type { Pair, SyntaxNode } from '../syntax/tree.ts';
import { descriptionOf } from './description.ts';
import { parseFlags } from './flag-values.ts';
import { parseFrom } from './from.ts';
import { parseHealthcheck } from './healthcheck.ts';
import { parseOnbuild } from './onbuild.ts';
import { parseRun } from './run.ts';
import { parseAdd, parseCopy } from './transfer.ts';
import type { Arg, From, Instruction } from './types.ts';
import { atLeastOne, commandIn, exactlyOne, wordsOf, written } from './words-of.ts';

type Parser = (node: SyntaxNode) => Instruction | From;

const PARSERS: Readonly<Record<string, Parser>> = {
  add: parseAdd,
  arg: parseArg,
  cmd: (node) => {
    parseFlags(node.flags, {});
    return { kind: 'cmd', ...written(node), ...commandIn(node.arguments) };
  },
  copy: parseCopy,
  entrypoint: (node) => {
    parseFlags(node.flags, {});
    return { kind: 'entrypoint', ...written(node), ...commandIn(node.arguments) };
  },
  env: (node) => ({ kind: 'env', ...written(node), pairs: pairs(node, 'ENV') }),
  expose: (node) => ({ kind: 'expose', ...written(node), ports: several(node, 'EXPOSE').toSorted() }),
  from: parseFrom,
  healthcheck: parseHealthcheck,
  label: (node) => ({ kind: 'label', ...written(node), pairs: pairs(node, 'LABEL') }),
  maintainer: (node) => ({ kind: 'maintainer', ...written(node), name: one(node, 'MAINTAINER') }),
  onbuild: parseOnbuild,
  run: parseRun,
  shell: (node) => ({ kind: 'shell', ...written(node), words: shellWords(node) }),
  // BuildKit looks at no flags here.
  stopsignal: (node) => ({
    kind: 'stopsignal',
    ...written(node),
    signal: exactlyOne(node, 'STOPSIGNAL'),
  }),
  user: (node) => ({ kind: 'user', ...written(node), name: one(node, 'USER') }),
  volume: (node) => ({ kind: 'volume', ...written(node), paths: volumes(node) }),
  workdir: (node) => ({ kind: 'workdir', ...written(node), path: one(node, 'WORKDIR') }),
};

/** @throws DockerfileError for an unknown instruction, unknown flags and wrong arguments. */
export function parseInstruction(node: SyntaxNode): Instruction | From {
  const parser = Object.hasOwn(PARSERS, node.keyword) ? PARSERS[node.keyword] : undefined;
  if (parser !== undefined) return parser(node);
  const known = Object.keys(PARSERS);
  throw new DockerfileError(suggest(`unknown instruction: ${node.word}`, node.word, known, false));
}

function one(node: SyntaxNode, name: string): string {
  const word = exactlyOne(node, name);
  parseFlags(node.flags, {});
  return word;
}

function several(node: SyntaxNode, name: string): string[] {
  const words = wordsOf(node);
  if (words.length === 0) throw atLeastOne(name);
  parseFlags(node.flags, {});
  return words;
}

function pairs(node: SyntaxNode, name: string): Pair[] {
  parseFlags(node.flags, {});
  if (node.arguments.form !== 'pairs') throw atLeastOne(name);
  if (node.arguments.pairs.some((pair) => pair.key === '')) {
    throw new DockerfileError(`${name} names can not be blank`);
  }
  return node.arguments.pairs;
}

function parseArg(node: SyntaxNode): Arg {
  const words = wordsOf(node);
  if (words.length === 0) throw atLeastOne('ARG');
  const found = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals === 0) throw new DockerfileError('ARG names can not be blank');
    const key = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? null : word.slice(equals + 1);
    return { key, value, description: descriptionOf(key, node.comments) };
  });
  return { kind: 'arg', ...written(node), arguments: found };
}

function shellWords(node: SyntaxNode): string[] {
  parseFlags(node.flags, {});
  const { shell, words } = commandIn(node.arguments);
  if (words.length === 0) throw atLeastOne('SHELL');
  if (!shell) return words;
  // It has to say what the words are, and a text does not.
  throw new DockerfileError(`SHELL requires the arguments to be in JSON form`);
}

function volumes(node: SyntaxNode): string[] {
  const paths = several(node, 'VOLUME').map(trim);
  if (paths.includes('')) throw new DockerfileError('VOLUME specified can not be an empty string');
  return paths;
}
