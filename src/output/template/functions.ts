/** The functions of templates: Go's own and those Docker adds. */
import { printf } from './printf.ts';
import { Row } from './row.ts';
import {
  type Callable,
  escapeHtml,
  goJson,
  goString,
  isMap,
  isStruct,
  isTrue,
  isWhole,
  typeName,
} from './value.ts';

/** A function's refusal, without its name. */
export class FunctionError extends Error {}

export type Functions = Readonly<Record<string, Callable>>;

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new FunctionError(`wrong type for value; expected string; got ${typeName(value)}`);
}

function whole(value: unknown): number {
  if (isWhole(value)) return value;
  throw new FunctionError(`wrong type for value; expected int; got ${typeName(value)}`);
}

function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.map((each: unknown) => goString(each));
  if (value === null || value === undefined) return [];
  throw new FunctionError(`wrong type for value; expected []string; got ${typeName(value)}`);
}

/** A row writes its own JSON, escaped, as Go's marshaller does. */
function json(value: unknown): string {
  return value instanceof Row ? escapeHtml(goJson(value)) : goJson(value);
}

function title(value: unknown): string {
  return text(value).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_all, before: string, letter: string) => {
    return before + letter.toUpperCase();
  });
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  throw new FunctionError(`len of type ${typeName(value)}`);
}

function index(value: unknown, ...keys: unknown[]): unknown {
  let item = value;
  for (const key of keys) {
    if (isMap(item)) item = item.get(key);
    else if (Array.isArray(item) || typeof item === 'string') {
      const at = whole(key);
      if (at < 0 || at >= item.length) throw new FunctionError(`index out of range: ${at}`);
      item = typeof item === 'string' ? Buffer.from(item)[at] : (item[at] as unknown);
    } else if (item === null || item === undefined) throw new FunctionError('index of untyped nil');
    else if (isStruct(item) && typeof key === 'string') {
      item = Object.hasOwn(item, key) ? item[key] : undefined;
    } else throw new FunctionError(`can't index item of type ${typeName(item)}`);
  }
  return item;
}

function slice(value: unknown, from?: unknown, to?: unknown): unknown {
  const start = from === undefined ? 0 : whole(from);
  const size = length(value);
  const end = to === undefined ? size : whole(to);
  for (const at of [start, end]) {
    if (at < 0 || at > size) throw new FunctionError(`index out of range: ${at}`);
  }
  if (start > end) throw new FunctionError(`invalid slice index: ${start} > ${end}`);
  if (typeof value === 'string') return Buffer.from(value).subarray(start, end).toString();
  if (Array.isArray(value)) return value.slice(start, end);
  throw new FunctionError(`can't slice item of type ${typeName(value)}`);
}

function equal(first: unknown, second: unknown): boolean {
  const simple = ['string', 'number', 'boolean'];
  if (first === null || first === undefined || second === null || second === undefined) {
    return (first ?? null) === (second ?? null);
  }
  for (const value of [first, second]) {
    if (simple.includes(typeof value)) continue;
    throw new FunctionError(`non-comparable type ${goString(value)}: ${typeName(value)}`);
  }
  if (typeof first !== typeof second) throw new FunctionError('incompatible types for comparison');
  return first === second;
}

function less(first: unknown, second: unknown): boolean {
  if (typeof first === 'number' && typeof second === 'number') return first < second;
  if (typeof first === 'string' && typeof second === 'string') return first < second;
  if (typeof first === typeof second) throw new FunctionError('invalid type for comparison');
  throw new FunctionError('incompatible types for comparison');
}

/** Go's `Sprint`: spaces between operands when neither is a string. */
function print(...args: unknown[]): string {
  return args
    .map((arg, at) => {
      const apart = at > 0 && typeof arg !== 'string' && typeof args[at - 1] !== 'string';
      return (apart ? ' ' : '') + goString(arg ?? null);
    })
    .join('');
}

const HTML: Record<string, string> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&#39;',
  '"': '&#34;',
};

/** How many arguments a function takes, where that is fixed. */
export const ARITY: Readonly<Record<string, number>> = {
  not: 1,
  ne: 2,
  lt: 2,
  le: 2,
  gt: 2,
  ge: 2,
  len: 1,
  json: 1,
  split: 2,
  join: 2,
  title: 1,
  lower: 1,
  upper: 1,
  pad: 3,
  truncate: 2,
};

export const functions: Functions = {
  and: (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (...args) => args.find((arg) => isTrue(arg)) ?? args.at(-1),
  not: (value) => !isTrue(value),
  eq: (first, ...others) => {
    if (others.length === 0) throw new FunctionError('missing argument for comparison');
    return others.some((other) => equal(first, other));
  },
  ne: (first, second) => !equal(first, second),
  lt: less,
  le: (first, second) => less(first, second) || equal(first, second),
  gt: (first, second) => less(second, first),
  ge: (first, second) => less(second, first) || equal(first, second),
  len: length,
  index,
  slice,
  print,
  println: (...args) => `${args.map((arg) => goString(arg ?? null)).join(' ')}\n`,
  printf: (format, ...args) => printf(text(format), args),
  html: (...args) => print(...args).replace(/[<>&'"]/g, (char) => HTML[char] ?? char),
  js: (...args) => escapeHtml(JSON.stringify(print(...args)).slice(1, -1)).replaceAll("'", "\\'"),
  urlquery: (...args) => encodeURIComponent(print(...args)).replaceAll('%20', '+'),
  json,
  split: (value, separator) => text(value).split(text(separator)),
  join: (values, separator) => texts(values).join(text(separator)),
  title,
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) => {
    const inner = text(value);
    return inner === '' ? '' : ' '.repeat(whole(before)) + inner + ' '.repeat(whole(after));
  },
  truncate: (value, size) => {
    const limit = whole(size);
    const bytes = Buffer.from(text(value));
    return bytes.subarray(0, limit).toString();
  },
};
