/** Splits a Go template into text and the tokens of its actions; after text/template/parse. */
import { TemplateError } from './error.ts';

export type TokenKind =
  | 'field'
  | 'variable'
  | 'name'
  | 'string'
  | 'number'
  | 'char'
  | 'dot'
  | 'symbol'
  | 'end';

export interface Token {
  kind: TokenKind;
  /** As written, without the delimiters of a string; a field without its dot. */
  text: string;
  /** Offset in the template. */
  at: number;
  /** Whether white space stands before it: `.a .b` are two operands, `.a.b` is one. */
  spaced: boolean;
}

export type Piece = { text: string } | { tokens: Token[]; at: number };

const TOKEN =
  /\.(?<field>[\p{L}_][\p{L}\p{N}_]*)|(?<variable>\$[\p{L}\p{N}_]*)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|"(?<string>(?:[^"\\\n]|\\.)*)"|`(?<raw>[^`]*)`|'(?<char>[^'\\]|\\.)'|(?<number>[+-]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+))|(?<dot>\.)|(?<symbol>:=|[=|(),])/uy;

/** Offset and line of `at`, as Go's messages give them: line from 1, column in bytes from 0. */
export function position(source: string, at: number): { line: number; column: number } {
  const before = source.slice(0, at);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Buffer.byteLength(before.slice(start)) };
}

/** @throws TemplateError in Go's words */
export function lex(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open === -1 ? undefined : open);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    const trimsLeft = open !== -1 && /^{{-[ \t\r\n]/.test(source.slice(open, open + 4));
    if (trimsLeft) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') pieces.push({ text });
    if (open === -1) return pieces;
    const start = open + (trimsLeft ? 3 : 2);
    const comment = /^\s*\/\*[\s\S]*?\*\/\s*(-?)}}/.exec(source.slice(start));
    if (comment !== null) {
      at = start + comment[0].length;
      trimNext = comment[1] === '-';
      continue;
    }
    if (/^\s*\/\*/.test(source.slice(start))) {
      throw new TemplateError(`:${position(source, start).line}: unclosed comment`);
    }
    const action = lexAction(source, start);
    pieces.push({ tokens: action.tokens, at: open });
    ({ end: at, trim: trimNext } = action);
  }
}

function lexAction(source: string, start: number): { tokens: Token[]; end: number; trim: boolean } {
  const tokens: Token[] = [];
  for (let at = start; ;) {
    const space = /^[ \t\r\n]*/.exec(source.slice(at))?.[0].length ?? 0;
    at += space;
    const trim = space > 0 && source.startsWith('-}}', at);
    if (trim || source.startsWith('}}', at)) {
      tokens.push({ kind: 'end', text: '', at, spaced: space > 0 });
      return { tokens, end: at + (trim ? 3 : 2), trim };
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match?.groups === undefined) throw badToken(source, at);
    tokens.push(toToken(match.groups, at, space > 0, source));
    at = TOKEN.lastIndex;
  }
}

function badToken(source: string, at: number): TemplateError {
  const { line } = position(source, at);
  if (at >= source.length) return new TemplateError(`:${line}: unclosed action`);
  const char = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (char === '"') return new TemplateError(`:${line}: unterminated quoted string`);
  if (char === '`') return new TemplateError(`:${line}: unterminated raw quoted string`);
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return new TemplateError(`:${line}: unexpected U+${code} '${char}' in command`);
}

function toToken(
  groups: Record<string, string | undefined>,
  at: number,
  spaced: boolean,
  source: string,
): Token {
  const { raw, char, string } = groups;
  if (raw !== undefined) return { kind: 'string', text: raw, at, spaced };
  if (string !== undefined) return { kind: 'string', text: unquote(string, source, at), at, spaced };
  if (char !== undefined) return { kind: 'char', text: unquote(char, source, at), at, spaced };
  for (const kind of ['field', 'variable', 'name', 'number', 'dot', 'symbol'] as const) {
    const text = groups[kind];
    if (text !== undefined) return { kind, text, at, spaced };
  }
  throw badToken(source, at);
}

const SIMPLE: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

function unquote(text: string, source: string, at: number): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gu,
    (_all, x?: string, u?: string, long?: string, octal?: string, simple?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      const value = SIMPLE[simple ?? ''];
      if (value !== undefined) return value;
      throw new TemplateError(`:${position(source, at).line}: invalid syntax`);
    },
  );
}
