/** Heredocs: which ones a line announces, and their content in the lines that follow. */
import { DockerfileError } from '../error.ts';
import { expand } from '../words/expand.ts';
import { type PhysicalLines, withoutLineEnd } from './physical-lines.ts';
import type { Heredoc, SyntaxNode } from './tree.ts';

const MARK = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)$/;
const LEADING_TABS = /^\t+/gm;
const DESCRIPTOR_MAX = 2 ** 32;

const NONE = new Map<string, string>();

/**
 * What a word like `<<EOF`, `3<<-'EOF'` announces; undefined for other words.
 * @throws DockerfileError for quotes that do not close.
 */
export function parseHeredocMark(word: string): Omit<Heredoc, 'content'> | undefined {
  const [, descriptor = '', dash = '', terminator = ''] = MARK.exec(word) ?? [];
  if (terminator === '') return undefined;
  const options = { escape: '\\', keepUnset: true } as const;
  const plain = expand(terminator, NONE, options).words;
  const [name, ...more] = plain;
  if (name === undefined || more.length > 0) return undefined;
  const [quoted = ''] = expand(terminator, NONE, { ...options, keepQuotes: true }).words;
  return {
    name,
    descriptor: Math.min(Number(descriptor), DESCRIPTOR_MAX),
    // More quotes in the one than in the other: a part was quoted.
    expand: quotes(name) === quotes(quoted),
    chomp: dash === '-',
  };
}

/** The terminator that a word announces. One with quotes that do not close announces nothing. */
export function heredocName(word: string): string | undefined {
  try {
    return parseHeredocMark(word)?.name;
  } catch (error) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}

/**
 * The heredocs of an instruction, their content taken from the lines that follow.
 * @throws DockerfileError for one without its end.
 */
export function readHeredocs(node: SyntaxNode, lines: PhysicalLines): Heredoc[] {
  if (!mayHaveHeredocs(node) || !node.source.includes('<<')) return [];
  return marks(node.source).map((mark) => ({ ...mark, content: readContent(mark, lines) }));
}

/** Without the tabs that `<<-` allows at the start of each line. */
export function chomped(content: string): string {
  return content.replaceAll(LEADING_TABS, '');
}

function quotes(text: string): number {
  return text.replaceAll(/[^'"]/g, '').length;
}

function mayHaveHeredocs(node: SyntaxNode): boolean {
  const inner = node.arguments.form === 'instruction' ? node.arguments.instruction : node;
  return ['add', 'copy', 'run'].includes(inner.keyword) && inner.arguments.form !== 'json';
}

function marks(line: string): Omit<Heredoc, 'content'>[] {
  return wordsOf(line).flatMap((word) => parseHeredocMark(word) ?? []);
}

function wordsOf(line: string): string[] {
  try {
    const options = { escape: '\\', keepQuotes: true, keepEscapes: true, keepUnset: true } as const;
    return expand(line, NONE, options).words;
  } catch (error) {
    // A command for the shell, with quotes of its own.
    if (error instanceof DockerfileError) return [];
    throw error;
  }
}

function readContent(mark: Omit<Heredoc, 'content'>, lines: PhysicalLines): string {
  const content: string[] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const bare = withoutLineEnd(line);
    if ((mark.chomp ? bare.replace(/^\t+/, '') : bare) === mark.name) return content.join('');
    content.push(line);
  }
  throw new DockerfileError('unterminated heredoc');
}
