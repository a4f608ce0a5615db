/** Cutting the rest of a line into words and flags. Quotes and escapes stay; the evaluator takes them away. */
import { isSpace, trim } from '../characters.ts';
import type { Escape } from './tree.ts';

/** White space that separates plain words; a no-break space does not. */
const BLANKS = /[\t\v\f\r ]+/;

export function splitAtBlanks(text: string): string[] {
  return text === '' ? [] : text.split(BLANKS);
}

/** The first word and the rest, trimmed. */
export function firstWord(text: string): { word: string; rest: string } {
  const match = BLANKS.exec(text);
  if (match === null) return { word: text, rest: '' };
  return { word: text.slice(0, match.index), rest: text.slice(match.index + match[0].length) };
}

/** Words at white space, where quotes and escapes hold together what they hold. */
export function quotedWords(text: string, escape: Escape): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (isSpace(text.charAt(at))) {
      at++;
      continue;
    }
    const { word, end } = quotedWord(text, at, escape);
    if (word !== '') words.push(word);
    at = end;
  }
  return words;
}

function quotedWord(text: string, start: number, escape: Escape): { word: string; end: number } {
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    // Nothing is escaped between single quotes.
    if (character === escape && quote !== "'") {
      // An escape that nothing follows is no character.
      if (at === text.length - 1) return { word: text.slice(start, at), end: text.length };
      at++;
    } else if (quote === '') {
      if (isSpace(character)) break;
      if (character === "'" || character === '"') quote = character;
    } else if (character === quote) quote = '';
  }
  return { word: text.slice(start, at), end: at };
}

/** The words that begin with `--`, unquoted, up to the first that does not or a lone `--`; and what follows them. */
export function splitFlags(text: string, escape: Escape): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text.charAt(at))) at++;
    if (!text.startsWith('--', at)) return { flags, rest: trim(text.slice(at)) };
    const { word, end } = unquotedWord(text, at, escape);
    at = end;
    if (word === '--') return { flags, rest: trim(text.slice(at)) };
    flags.push(word);
  }
}

function unquotedWord(text: string, start: number, escape: Escape): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === escape) {
      at++;
      word += text.charAt(at);
    } else if (quote === '' && isSpace(character)) break;
    else if (quote === '' && (character === "'" || character === '"')) quote = character;
    else if (quote !== '' && character === quote) quote = '';
    else word += character;
  }
  return { word, end: at };
}
