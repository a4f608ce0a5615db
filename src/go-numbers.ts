/** Numbers as Go's `strconv` reads them, and its words for what it does not. */
import { A3sError } from './errors.ts';
import { goQuote } from './go-quote.ts';

/** With a prefix for its base, digits apart by single underscores (Go, `strconv.ParseInt` with base 0). */
const ANY_BASE =
  /^[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?\d)*)$/;
const DECIMAL = /^[+-]?\d+$/;
const OLD_OCTAL = /^0\d+$/;

/**
 * `strconv.ParseInt`, as far as a number of JavaScript's holds it exactly.
 * @param base 0: the text says which
 * @throws A3sError `usage`.
 */
export function parseInt64(text: string, base: 0 | 10): number {
  if (!(base === 0 ? ANY_BASE : DECIMAL).test(text)) throw unreadable('ParseInt', text, 'invalid syntax');
  const digits = text.replace(/^[+-]/, '').replaceAll('_', '');
  const value = Number(base === 0 && OLD_OCTAL.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (!Number.isSafeInteger(value)) throw unreadable('ParseInt', text, 'value out of range');
  return text.startsWith('-') ? -value : value;
}

/**
 * `strconv.ParseUint` of a decimal number.
 * @param max the greatest that is in range
 * @throws A3sError `usage`.
 */
export function parseUnsigned(text: string, max: number): number {
  if (!/^\d+$/.test(text)) throw unreadable('ParseUint', text, 'invalid syntax');
  if (Number(text) > max) throw unreadable('ParseUint', text, 'value out of range');
  return Number(text);
}

/**
 * `strconv.ParseFloat` of a decimal number.
 * @throws A3sError `usage`.
 */
export function parseFloat64(text: string): number {
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    throw unreadable('ParseFloat', text, 'invalid syntax');
  }
  return Number(text);
}

function unreadable(verb: string, text: string, why: string): A3sError {
  return new A3sError('usage', `strconv.${verb}: parsing ${goQuote(text)}: ${why}`);
}
