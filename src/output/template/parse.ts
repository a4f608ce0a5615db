/** Go templates as trees; after text/template/parse. */
import { TemplateError } from './error.ts';
import { lex, position, type Piece, type Token } from './lex.ts';

export type Operand =
  | { type: 'dot' | 'nil'; at: number; text: string }
  | { type: 'constant'; value: string | number | boolean; at: number; text: string }
  | { type: 'field'; path: string[]; at: number; text: string }
  | { type: 'variable'; name: string; path: string[]; at: number; text: string }
  | { type: 'function'; name: string; path: string[]; at: number; text: string }
  | { type: 'pipeline'; pipeline: Pipeline; path: string[]; at: number; text: string };

export interface Command {
  operands: [Operand, ...Operand[]];
  text: string;
}

export interface Pipeline {
  /** Variables that take the result; two only in `range`. */
  variables: string[];
  declares: boolean;
  commands: Command[];
  at: number;
}

export type Node =
  | { type: 'text'; text: string }
  | { type: 'print'; pipeline: Pipeline }
  | { type: 'if' | 'with' | 'range'; pipeline: Pipeline; body: Node[]; otherwise: Node[] }
  | { type: 'break' | 'continue' };

/** @throws TemplateError in Go's words */
export function parse(source: string, functions: ReadonlySet<string>): Node[] {
  const parser = new Parser(source, lex(source), functions);
  const { nodes, ended } = parser.list(0);
  if (ended !== 'eof') throw parser.error(`unexpected {{${ended}}}`, parser.last);
  return nodes;
}

type Ending = 'eof' | 'end' | 'else';

class Parser {
  last = 0;
  private readonly source: string;
  private readonly pieces: Piece[];
  private readonly functions: ReadonlySet<string>;
  private tokens: Token[] = [];
  private variables = ['$'];

  constructor(source: string, pieces: Piece[], functions: ReadonlySet<string>) {
    this.source = source;
    this.pieces = pieces;
    this.functions = functions;
  }

  error(message: string, at: number): TemplateError {
    return new TemplateError(`:${position(this.source, at).line}: ${message}`);
  }

  /** Nodes up to the `end` or `else` that belongs to the caller. */
  list(loops: number): { nodes: Node[]; ended: Ending } {
    const nodes: Node[] = [];
    for (let piece = this.pieces.shift(); piece !== undefined; piece = this.pieces.shift()) {
      if ('text' in piece) {
        nodes.push({ type: 'text', text: piece.text });
        continue;
      }
      this.tokens = piece.tokens;
      this.last = piece.at;
      const word = this.tokens[0]?.kind === 'name' ? this.tokens[0].text : '';
      if (word === 'end' || word === 'else') {
        this.tokens.shift();
        if (word === 'end') this.expectEnd('end');
        return { nodes, ended: word };
      }
      nodes.push(this.action(word, loops));
    }
    return { nodes, ended: 'eof' };
  }

  private action(word: string, loops: number): Node {
    if (word === 'if' || word === 'with' || word === 'range') {
      this.tokens.shift();
      return this.control(word, loops);
    }
    if (word === 'break' || word === 'continue') {
      if (loops === 0) throw this.error(`{{${word}}} outside {{range}}`, this.last);
      this.tokens.shift();
      this.expectEnd(word);
      return { type: word };
    }
    if (word === 'define' || word === 'template' || word === 'block') {
      throw this.error(`{{${word}}} is not supported`, this.last);
    }
    const pipeline = this.pipeline('command');
    this.expectEnd('command');
    return { type: 'print', pipeline };
  }

  private control(word: 'if' | 'with' | 'range', loops: number): Node {
    const known = this.variables.length;
    const pipeline = this.pipeline(word);
    this.expectEnd(word);
    const { nodes: body, ended } = this.list(loops + (word === 'range' ? 1 : 0));
    let otherwise: Node[] = [];
    if (ended === 'else') {
      const next = this.tokens[0];
      if (next?.kind === 'name' && next.text === word && word !== 'range') {
        this.tokens.shift();
        otherwise = [this.control(word, loops)];
        this.variables.length = known;
        return { type: word, pipeline, body, otherwise };
      }
      this.expectEnd('else');
      const rest = this.list(loops);
      if (rest.ended !== 'end') throw this.error(`unexpected EOF`, this.source.length);
      otherwise = rest.nodes;
    } else if (ended === 'eof') throw this.error('unexpected EOF', this.source.length);
    this.variables.length = known;
    return { type: word, pipeline, body, otherwise };
  }

  private expectEnd(context: string): void {
    const token = this.tokens[0];
    if (token?.kind !== 'end') {
      throw this.error(`unexpected ${describe(token)} in ${context}`, token?.at ?? this.last);
    }
  }

  private pipeline(context: string): Pipeline {
    const at = this.tokens[0]?.at ?? this.last;
    const { variables, declares } = this.declaration(context);
    const commands: Command[] = [];
    for (;;) {
      const command = this.command(context);
      const { type } = command.operands[0];
      if (commands.length > 0 && (type === 'constant' || type === 'dot' || type === 'nil')) {
        const stage = commands.length + 1;
        throw this.error(`non executable command in pipeline stage ${stage}`, this.last);
      }
      commands.push(command);
      if (this.tokens[0]?.text !== '|' || this.tokens[0].kind !== 'symbol') break;
      this.tokens.shift();
    }
    if (declares) this.variables.push(...variables);
    return { variables, declares, commands, at };
  }

  private declaration(context: string): { variables: string[]; declares: boolean } {
    const [first, second, third, fourth] = this.tokens;
    const isSymbol = (token: Token | undefined, ...texts: string[]): boolean =>
      token?.kind === 'symbol' && texts.includes(token.text);
    if (first?.kind !== 'variable') return { variables: [], declares: false };
    if (isSymbol(second, ':=', '=')) {
      this.tokens.splice(0, 2);
      return { variables: [first.text], declares: second?.text === ':=' };
    }
    if (context === 'range' && isSymbol(second, ',') && third?.kind === 'variable') {
      this.tokens.splice(0, 4);
      return { variables: [first.text, third.text], declares: fourth?.text === ':=' };
    }
    return { variables: [], declares: false };
  }

  private command(context: string): Command {
    const operands: Operand[] = [];
    const start = this.tokens[0]?.at ?? this.last;
    for (;;) {
      const operand = this.operand();
      if (operand === undefined) break;
      operands.push(operand);
      const next = this.tokens[0];
      if (next !== undefined && !next.spaced && next.kind !== 'end' && next.kind !== 'symbol') {
        throw this.error(`unexpected ${describe(next)} in operand`, next.at);
      }
    }
    const [first, ...others] = operands;
    if (first === undefined) {
      const token = this.tokens[0];
      if (token?.kind === 'end') throw this.error(`missing value for ${context}`, start);
      throw this.error(`unexpected ${describe(token)} in ${context}`, start);
    }
    const end = this.tokens[0]?.at ?? this.source.length;
    return { operands: [first, ...others], text: this.source.slice(start, end).trimEnd() };
  }

  private operand(): Operand | undefined {
    const token = this.tokens[0];
    if (token === undefined) return undefined;
    const { at, text, kind } = token;
    if (kind === 'end' || (kind === 'symbol' && text !== '(')) return undefined;
    this.tokens.shift();
    switch (kind) {
      case 'symbol': {
        const pipeline = this.pipeline('parenthesized pipeline');
        if (this.tokens[0]?.text !== ')') {
          throw this.error(`unclosed left paren`, at);
        }
        const close = this.tokens.shift();
        const path = this.chain().path;
        const inner = this.source.slice(at, (close?.at ?? at) + 1);
        return { type: 'pipeline', pipeline, path, at, text: inner };
      }
      case 'field': {
        const chain = this.chain();
        const path = [text, ...chain.path];
        return { type: 'field', path, at: chain.at ?? at, text: `.${path.join('.')}` };
      }
      case 'variable': {
        if (!this.variables.includes(text)) throw this.error(`undefined variable ${quote(text)}`, at);
        const chain = this.chain();
        return {
          type: 'variable',
          name: text,
          path: chain.path,
          at: chain.at ?? at,
          text: [text, ...chain.path].join('.'),
        };
      }
      case 'name':
        return this.name(text, at);
      case 'string':
        return { type: 'constant', value: text, at, text: quote(text) };
      case 'char':
        return { type: 'constant', value: text.codePointAt(0) ?? 0, at, text: `'${text}'` };
      case 'number':
        return { type: 'constant', value: Number(text), at, text };
      default:
        return { type: 'dot', at, text: '.' };
    }
  }

  private name(text: string, at: number): Operand {
    if (text === 'true' || text === 'false') {
      return { type: 'constant', value: text === 'true', at, text };
    }
    if (text === 'nil') return { type: 'nil', at, text };
    if (!this.functions.has(text)) throw this.error(`function ${quote(text)} not defined`, at);
    return { type: 'function', name: text, path: this.chain().path, at, text };
  }

  /** Fields that follow without a space. */
  private chain(): { path: string[]; at: number | undefined } {
    const path: string[] = [];
    const at = this.tokens[0]?.at;
    while (this.tokens[0]?.kind === 'field' && !this.tokens[0].spaced) {
      path.push(this.tokens.shift()?.text ?? '');
    }
    return { path, at: path.length === 0 ? undefined : at };
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function describe(token: Token | undefined): string {
  if (token === undefined || token.kind === 'end') return '"}}"';
  return token.kind === 'string' ? quote(quote(token.text)) : quote(token.text);
}
