/** How values look: Go's `%v`, and its JSON. A `Map` stands for a Go map, a plain object for a struct. */
import { goFloat } from '../go-float.ts';

export type Callable = (...args: unknown[]) => unknown;

/** True for a field that templates call: functions reach a template only as methods of a row. */
export function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

/** True for what stands for a struct. */
export function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

export function isMap(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map;
}

export function isWhole(value: unknown): value is number {
  return Number.isInteger(value);
}

/** What `{{.}}` prints for a value. */
export function goString(value: unknown): string {
  return value === undefined ? '<no value>' : format(value);
}

function format(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return formatNumber(value);
    case 'object':
      return value === null ? '<nil>' : formatObject(value);
    default:
      return '<nil>';
  }
}

function formatNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const shortest = value.toExponential().replace(/^-/, '').split('e')[0] ?? '';
  const digits = shortest.replace('.', '').length;
  const exponent = Number(value.toExponential().split('e')[1]);
  return exponent < -4 || exponent >= 21 ? goFloat(value, digits) : String(value);
}

function formatObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(format).join(' ')}]`;
  if (value instanceof Map) {
    const entries = [...value].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    return `map[${entries.map(([key, each]) => `${format(key)}:${format(each)}`).join(' ')}]`;
  }
  return `{${Object.values(value).map(format).join(' ')}}`;
}

/** JSON as Go writes it: compact, maps sorted by key. */
export function goJson(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, each: unknown) => {
    if (!(each instanceof Map)) return each;
    const entries = [...each].map(([key, item]): [string, unknown] => [String(key), item]);
    return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Go's `json.Marshal` writes these escaped, which its encoder can be told not to do. */
export function escapeHtml(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What `if`, `with`, `and`, `or` and `not` take for true. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return Boolean(value);
}

/** The name of a value's type in messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (Array.isArray(value)) return '[]interface {}';
  if (value instanceof Map) return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'object') return 'struct';
  return typeof value;
}
