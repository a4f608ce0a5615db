/** Sizes and durations as Docker's users write them. */
import { A3sError } from './errors.ts';
import { parseFloat64 } from './go-numbers.ts';

const SIZE_POWER: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Bytes in a size such as `512m`, `1.5g`, `64MiB` or `4096`; units are powers of 1024 (docker/go-units, RAMInBytes).
 * @throws A3sError `usage` in Docker's words.
 */
export function parseSize(text: string): number {
  const [head] = /^.*[\d. ]/s.exec(text) ?? [];
  if (head === undefined) throw invalidSize(text);
  // One space may stand between the number and its unit.
  const amount = parseFloat64(head.endsWith(' ') ? head.slice(0, -1) : head);
  if (amount < 0) throw invalidSize(text);
  const bytes = Math.floor(amount * 1024 ** powerOf(text.slice(head.length)));
  if (!Number.isSafeInteger(bytes)) throw invalidSize(text);
  return bytes;
}

function powerOf(unit: string): number {
  const [, letter = ''] = /^(?:([kmgtp])(?:i?b)?|b)?$/i.exec(unit) ?? [];
  const power = SIZE_POWER[letter.toLowerCase()] ?? 0;
  if (unit !== '' && letter === '' && unit.toLowerCase() !== 'b') {
    throw new A3sError('usage', `invalid suffix: '${unit.length > 3 ? unit : unit.toLowerCase()}'`);
  }
  return power;
}

function invalidSize(text: string): A3sError {
  return new A3sError('usage', `invalid size: '${text}'`);
}

const DURATION_UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const LONGEST_NS = 2 ** 63;

/**
 * Nanoseconds in a duration as Go writes it: `1h30m`, `1.5s`, `300ms`, `0` (Go, `time.ParseDuration`).
 * @throws A3sError `usage` in Go's words.
 */
export function parseDuration(text: string): number {
  // A number, and the unit up to the next number.
  const part = /(\d*)(?:\.(\d*))?([^\d.]*)/y;
  part.lastIndex = /^[-+]/.test(text) ? 1 : 0;
  if (text.slice(part.lastIndex) === '0') return 0;
  let total = 0;
  do {
    const [, whole = '', fraction = '', unit = ''] = part.exec(text) ?? [];
    if (whole + fraction === '' || Number(whole) >= LONGEST_NS) throw badDuration('invalid', text);
    if (unit === '') throw badDuration('missing unit in', text);
    const size = Object.hasOwn(DURATION_UNIT_NS, unit) ? DURATION_UNIT_NS[unit] : undefined;
    if (size === undefined) throw badDuration(`unknown unit ${timeQuote(unit)} in`, text);
    total += Number(`${whole}.${fraction}`) * size;
    if (total >= LONGEST_NS) throw badDuration('invalid', text);
  } while (part.lastIndex < text.length);
  return Math.round(text.startsWith('-') ? -total : total);
}

function badDuration(what: string, text: string): A3sError {
  return new A3sError('usage', `time: ${what} duration ${timeQuote(text)}`);
}

/** As Go's package `time` quotes: what is not ASCII byte by byte. */
function timeQuote(text: string): string {
  const quoted = [...Buffer.from(text)].map((byte) => {
    const char = String.fromCharCode(byte);
    if (char === '"' || char === '\\') return `\\${char}`;
    return byte < 0x20 || byte >= 0x80 ? `\\x${byte.toString(16).padStart(2, '0')}` : char;
  });
  return `"${quoted.join('')}"`;
}
