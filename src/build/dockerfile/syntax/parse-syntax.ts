/** From the text of a Dockerfile to its syntax tree (BuildKit's frontend/dockerfile/parser). Pure. */
import { trim, trimStart } from '../characters.ts';
import { DockerfileError, type Lines, withLines } from '../error.ts';
import { parseArguments } from './arguments.ts';
import { DirectiveReader, isComment } from './directives.ts';
import { readHeredocs } from './heredoc.ts';
import { PhysicalLines, withoutLineEnd } from './physical-lines.ts';
import type { Escape, SyntaxNode, SyntaxTree } from './tree.ts';
import { firstWord, splitFlags } from './words.ts';

/**
 * Reads the whole text; time and memory grow with its length only.
 * @throws DockerfileError in BuildKit's words.
 */
export function parseSyntax(text: string): SyntaxTree {
  const reader = new SyntaxReader(text);
  reader.readAll();
  return reader.tree();
}

class SyntaxReader {
  readonly #lines: PhysicalLines;
  readonly #directives = new DirectiveReader();
  readonly #nodes: SyntaxNode[] = [];
  readonly #warnings: SyntaxTree['warnings'] = [];
  #comments: string[] = [];

  constructor(text: string) {
    this.#lines = new PhysicalLines(text);
  }

  readAll(): void {
    for (let line = this.#lines.next(); line !== undefined; line = this.#lines.next()) this.#readLine(line);
    if (this.#nodes.length > 0) return;
    throw new DockerfileError('file with no instructions', this.#since(this.#lines.number));
  }

  tree(): SyntaxTree {
    return {
      nodes: this.#nodes,
      directives: this.#directives.directives,
      escape: this.#directives.escape,
      warnings: this.#warnings,
    };
  }

  #readLine(line: string): void {
    const first = this.#lines.number;
    const content = trimStart(withoutLineEnd(line));
    const directive = withLines(
      () => this.#since(first),
      () => this.#directives.read(content),
    );
    if (isComment(content)) {
      if (!directive) this.#readComment(line);
      return;
    }
    if (content === '') return;
    const source = this.#readContinued(content);
    this.#nodes.push(this.#readInstruction(source, first));
    this.#comments = [];
  }

  #readComment(line: string): void {
    const comment = trim(trimStart(line).slice(1));
    // A comment without words parts what is above it from the instruction.
    this.#comments = comment === '' ? [] : [...this.#comments.slice(1 - COMMENTS_MAX), comment];
  }

  /** The line and those that continue it, in one. */
  #readContinued(line: string): string {
    let part = withoutContinuation(line, this.#directives.escape);
    const parts = [part.text];
    let emptyLines = false;
    while (part.continued) {
      const next = this.#lines.next();
      if (next === undefined) break;
      const content = withoutLineEnd(next);
      if (isComment(content)) continue;
      if (trim(content) === '') {
        emptyLines = true;
        continue;
      }
      part = withoutContinuation(content, this.#directives.escape);
      parts.push(part.text);
    }
    const source = parts.join('');
    if (emptyLines) this.#warn(`Empty continuation line found in: ${source}`);
    return source;
  }

  #readInstruction(source: string, first: number): SyntaxNode {
    return withLines(
      () => this.#since(first),
      () => {
        const node = parseInstruction(source, this.#directives.escape);
        const heredocs = readHeredocs(node, this.#lines);
        return { ...node, heredocs, comments: this.#comments, lines: this.#since(first) };
      },
    );
  }

  #since(first: number): Lines {
    return { first, last: this.#lines.number };
  }

  #warn(message: string): void {
    this.#warnings.push({ message, lines: this.#since(this.#lines.number) });
  }
}

/** Comments above an instruction that are kept. */
const COMMENTS_MAX = 100;

/** An escape at the end continues a line, unless an escape is before it. */
function withoutContinuation(line: string, escape: Escape): { text: string; continued: boolean } {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--;
  const continued = line[end - 1] === escape && line[end - 2] !== escape;
  return { text: continued ? line.slice(0, end - 1) : line, continued };
}

/** The heredocs, comments and lines are filled in by the reader. */
function parseInstruction(source: string, escape: Escape): SyntaxNode {
  const { word, rest } = firstWord(trim(source));
  const keyword = word.toLowerCase();
  const { flags, rest: tail } = splitFlags(rest, escape);
  return {
    word,
    keyword,
    flags,
    arguments:
      keyword === 'onbuild' && tail !== ''
        ? { form: 'instruction', instruction: parseInner(tail, escape) }
        : parseArguments(keyword, tail, escape),
    heredocs: [],
    source,
    lines: { first: 0, last: 0 },
    comments: [],
  };
}

/** What ONBUILD holds. A chain of them is refused anyway: one level is enough to say so. */
function parseInner(source: string, escape: Escape): SyntaxNode {
  const { word } = firstWord(source);
  if (word.toLowerCase() !== 'onbuild') return parseInstruction(source, escape);
  const node = parseInstruction(word, escape);
  return { ...node, source };
}
