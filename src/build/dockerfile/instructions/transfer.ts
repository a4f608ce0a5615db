/** COPY and ADD. */
import { DockerfileError } from '../error.ts';
import { chomped, heredocName } from '../syntax/heredoc.ts';
import type { SyntaxNode } from '../syntax/tree.ts';
import { type FlagValues, parseFlags } from './flag-values.ts';
import type { Add, Copy, InlineFile, Transfer } from './types.ts';
import { wordsOf, written } from './words-of.ts';

const COMMON_FLAGS = { chown: 'string', chmod: 'string', link: 'bool', exclude: 'list' } as const;
const COPY_FLAGS = { ...COMMON_FLAGS, from: 'string', parents: 'bool' } as const;
const ADD_FLAGS = {
  ...COMMON_FLAGS,
  'keep-git-dir': 'bool',
  checksum: 'string',
  unpack: 'bool',
} as const;

/** @throws DockerfileError */
export function parseCopy(node: SyntaxNode): Copy {
  const words = operands(node, 'COPY');
  const flags = parseFlags(node.flags, COPY_FLAGS);
  return {
    kind: 'copy',
    ...transfer(node, 'COPY', words, flags),
    from: flags.from,
    parents: flags.parents === true,
  };
}

/** @throws DockerfileError */
export function parseAdd(node: SyntaxNode): Add {
  const words = operands(node, 'ADD');
  const flags = parseFlags(node.flags, ADD_FLAGS);
  return {
    kind: 'add',
    ...transfer(node, 'ADD', words, flags),
    checksum: flags.checksum,
    keepGitDirectory: flags['keep-git-dir'],
    unpack: flags.unpack,
  };
}

function operands(node: SyntaxNode, name: string): string[] {
  const words = wordsOf(node);
  if (words.length >= 2) return words;
  throw new DockerfileError(
    `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
  );
}

function transfer(
  node: SyntaxNode,
  name: string,
  words: readonly string[],
  flags: FlagValues<typeof COMMON_FLAGS>,
): Transfer {
  const destination = words.at(-1) ?? '';
  if (heredocName(destination) !== undefined) {
    throw new DockerfileError(`${name} cannot accept a heredoc as a destination`);
  }
  const files: InlineFile[] = [];
  const sources: string[] = [];
  for (const word of words.slice(0, -1)) {
    const heredoc = heredocName(word);
    if (heredoc === undefined) sources.push(word);
    else files.push(inlineFile(node, heredoc));
  }
  return {
    ...written(node),
    sources,
    files,
    destination,
    chown: flags.chown,
    chmod: flags.chmod,
    link: flags.link === true,
    exclude: flags.exclude,
  };
}

function inlineFile(node: SyntaxNode, name: string): InlineFile {
  // Of two with one name the last counts.
  const heredoc = node.heredocs.findLast((each) => each.name === name);
  if (heredoc === undefined) return { name, content: '', expand: true };
  const { content, expand } = heredoc;
  return { name, content: heredoc.chomp ? chomped(content) : content, expand };
}
