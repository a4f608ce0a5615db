/** Go's `Sprintf`, for the verbs that templates use. */
import { goFloat } from '../go-float.ts';
import { goQuote } from '../../go-quote.ts';
import { goString, isWhole, typeName } from './value.ts';

const VERB = /%([-+# 0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])/g;

/** A wrong verb or a missing operand shows in the result, as in Go: `%!d(string=x)`, `%!s(MISSING)`. */
export function printf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const replace = (_all: string, flags: string, width: string, places: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const arg = args[next];
    next += 1;
    const text = formatOne(verb, arg, places === undefined ? undefined : Number(places), flags);
    return pad(text, Number(width), flags, typeof arg === 'number');
  };
  const result = format.replace(VERB, replace);
  if (next >= args.length) return result;
  const extra = args.slice(next).map((arg) => `${typeName(arg)}=${goString(arg)}`);
  return `${result}%!(EXTRA ${extra.join(', ')})`;
}

function formatOne(verb: string, arg: unknown, precision: number | undefined, flags: string): string {
  const bad = `%!${verb}(${typeName(arg)}=${goString(arg)})`;
  const sign = flags.includes('+') && typeof arg === 'number' && arg >= 0 ? '+' : '';
  switch (verb) {
    case 'v':
      return sign + goString(arg ?? null);
    case 's':
      return typeof arg === 'number' || typeof arg === 'boolean' ? bad : cut(goString(arg), precision);
    case 'q':
      return typeof arg === 'string' ? goQuote(cut(arg, precision)) : bad;
    case 't':
      return typeof arg === 'boolean' ? String(arg) : bad;
    case 'T':
      return typeName(arg);
    case 'd':
      return isWhole(arg) ? `${sign}${arg}` : bad;
    case 'x':
    case 'X': {
      const hex = hexOf(arg);
      if (hex === undefined) return bad;
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    case 'o':
    case 'b':
      return isWhole(arg) ? arg.toString(verb === 'o' ? 8 : 2) : bad;
    case 'f':
      return isFloat(arg) ? sign + arg.toFixed(precision ?? 6) : bad;
    case 'e':
      return isFloat(arg) ? exponential(arg.toExponential(precision ?? 6)) : bad;
    case 'g':
      return isFloat(arg) ? (precision === undefined ? goString(arg) : goFloat(arg, precision)) : bad;
    default:
      return bad;
  }
}

/** JSON has one kind of number: one without a fraction may be meant as either. */
function isFloat(arg: unknown): arg is number {
  return typeof arg === 'number';
}

function hexOf(arg: unknown): string | undefined {
  if (typeof arg === 'string') return Buffer.from(arg).toString('hex');
  return isWhole(arg) ? arg.toString(16) : undefined;
}

function exponential(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : Array.from(text).slice(0, precision).join('');
}

function pad(text: string, width: number, flags: string, isNumber: boolean): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
