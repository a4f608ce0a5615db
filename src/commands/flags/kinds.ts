/**
 * What a flag's value may be, and the words with which pflag and Docker's own types refuse another one.
 * A kind's `parse` takes the value so far (flags that repeat add to it) and the text that was given. It throws BadValue or an
 * A3sError `usage` for what the flag's name is to be told with; any other error is told as it is.
 */
import { parseDuration, parseSize } from '../../units.ts';
import type { ParsedMount } from '../../engine/volumes/mount-request.ts';
import { parseMount } from '../../engine/volumes/parse-mount.ts';
import { parseInt64 } from '../../go-numbers.ts';
import { goQuote } from '../../go-quote.ts';
import { isAddress, parseExtraHost, parseSearchDomain } from './address.ts';
import { BadValue } from './bad-value.ts';
import { parseMemorySwap, parseSysctl, parseUlimit, type Ulimit } from './process-limits.ts';

export { BadValue };

export interface Kind<T> {
  /** How help names the value; empty for a flag that takes none. */
  label: string;
  zero: T;
  parse(previous: T, text: string): T;
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

function parseBool(_previous: boolean, text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new BadValue(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
}

/** `--cpus`: a decimal or a fraction, as Go's `big.Rat` reads it, with at most nine places. */
function parseDecimal(text: string): number {
  const match =
    /^([+-]?\d+)\/(\d+)$/.exec(text) ?? /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)$/.exec(text);
  const value =
    match === null ? Number.NaN : Number(match[1]) / (match[2] === undefined ? 1 : Number(match[2]));
  if (!Number.isFinite(value)) {
    throw new BadValue(`failed to parse ${text} as a rational number`);
  }
  if (Math.abs(value * 1e9 - Math.round(value * 1e9)) > 1e-3) throw new BadValue('value is too precise');
  return value;
}

/** Nanoseconds; more than a number holds exactly, 104 days, is as bad as what Go does not hold. */
function parseExactDuration(text: string): number {
  const duration = parseDuration(text);
  if (!Number.isSafeInteger(duration)) throw new BadValue(`time: invalid duration ${goQuote(text)}`);
  return duration;
}

function append(previous: readonly string[], text: string): readonly string[] {
  return [...previous, text];
}

function appendEnv(previous: readonly string[], text: string): readonly string[] {
  if (text === '') throw new BadValue('invalid environment variable: ');
  if (text.startsWith('=')) throw new BadValue(`invalid environment variable: ${text}`);
  return [...previous, text];
}

function appendLabel(previous: readonly string[], text: string): readonly string[] {
  const [name = ''] = text.replace(/^[ \t]+/, '').split('=', 1);
  if (name === '') throw new BadValue(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(name)) throw new BadValue(`label '${name}' contains whitespaces`);
  return [...previous, text];
}

function appendAddress(previous: readonly string[], text: string): readonly string[] {
  const address = text.trim();
  if (!isAddress(address)) throw new BadValue(`IP address is not correctly formatted: ${text}`);
  return [...previous, address];
}

function appendFilter(previous: readonly string[], text: string): readonly string[] {
  if (text === '') return previous;
  if (!text.includes('=')) throw new BadValue('bad format of filter (expected name=value)');
  return [...previous, text];
}

function appendStream(previous: readonly string[], text: string): readonly string[] {
  const stream = text.toLowerCase();
  if (!['stdin', 'stdout', 'stderr'].includes(stream)) {
    throw new BadValue('valid streams are STDIN, STDOUT and STDERR');
  }
  return [...previous, stream];
}

const each =
  <T>(parse: (text: string) => T) =>
  (previous: readonly T[], value: string): readonly T[] => [...previous, parse(value)];

const text = (label: string): Kind<string | undefined> => ({
  label,
  zero: undefined,
  parse: (_previous, value) => value,
});
const list = (
  label: string,
  parse: (previous: readonly string[], text: string) => readonly string[] = append,
): Kind<readonly string[]> => ({ label, zero: [], parse });
const number = (label: string, read: (text: string) => number): Kind<number | undefined> => ({
  label,
  zero: undefined,
  parse: (_previous, value) => read(value),
});

export const kinds = {
  bool: { label: '', zero: false, parse: parseBool } satisfies Kind<boolean>,
  string: text('string'),
  network: text('network'),
  int: number('int', (value) => parseInt64(value, 0)),
  decimal: number('decimal', parseDecimal),
  bytes: number('bytes', parseSize),
  duration: number('duration', parseExactDuration),
  list: list('list'),
  env: list('list', appendEnv),
  label: list('list', appendLabel),
  address: list('list', appendAddress),
  extraHost: list('list', each(parseExtraHost)),
  domain: list('list', each(parseSearchDomain)),
  map: list('map'),
  sysctl: list('map', each(parseSysctl)),
  ulimit: { label: 'ulimit', zero: [], parse: each(parseUlimit) } satisfies Kind<readonly Ulimit[]>,
  swap: number('bytes', parseMemorySwap),
  filter: list('filter', appendFilter),
  stream: list('list', appendStream),
  mount: { label: 'mount', zero: [], parse: each((value: string) => parseMount(value)) } satisfies Kind<
    readonly ParsedMount[]
  >,
} as const;

export type KindName = keyof typeof kinds;
/** The type of a value of the kind. */
export type KindValue<K extends KindName> = (typeof kinds)[K] extends Kind<infer T> ? T : never;
