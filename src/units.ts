/** Sizes and durations as Docker's users write them. */
import { A3sError } from './errors.ts';

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i;
const SIZE_POWER: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Bytes in a size such as `512m`, `1.5g`, `64MiB` or `4096`; units are powers of 1024 (docker/go-units, RAMInBytes).
 * @throws A3sError `usage`.
 */
export function parseSize(text: string): number {
  const [, digits, unit] = SIZE.exec(text) ?? [];
  if (digits === undefined) throw new A3sError('usage', `invalid size: '${text}'`);
  const bytes = Math.floor(Number(digits) * 1024 ** (SIZE_POWER[unit?.toLowerCase() ?? ''] ?? 0));
  if (!Number.isSafeInteger(bytes)) throw new A3sError('usage', `invalid size: '${text}'`);
  return bytes;
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
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/;
const DURATION_PART = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/**
 * Nanoseconds in a duration as Go writes it: `1h30m`, `1.5s`, `300ms`, `0`.
 * @throws A3sError `usage` in Go's words.
 */
export function parseDuration(text: string): number {
  if (/^[-+]?0$/.test(text)) return 0;
  if (!DURATION.test(text)) throw new A3sError('usage', `time: invalid duration "${text}"`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(DURATION_PART)) {
    total += Number(amount) * (DURATION_UNIT_NS[unit ?? ''] ?? 0);
  }
  return Math.round(text.startsWith('-') ? -total : total);
}
