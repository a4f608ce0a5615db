/** JSON as Go's encoding/json writes it, so that what is made of the same parts has the same digest as BuildKit's. */

/** Sets and maps come out as objects with sorted keys, as Go's maps do; objects keep their order, as Go's structs do. */
export type GoValue =
  | string
  | number
  | boolean
  | null
  | readonly GoValue[]
  | ReadonlySet<string>
  | ReadonlyMap<string, GoValue>
  | { readonly [name: string]: GoValue | undefined };

/** Characters that Go escapes beyond what JSON asks for. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/** On one line, without blanks. Members of objects that are undefined are left out. */
export function goJsonText(value: GoValue): string {
  if (value === null || typeof value !== 'object') {
    return JSON.stringify(value).replaceAll(ESCAPED, escape);
  }
  if (isList(value)) return `[${value.map(goJsonText).join(',')}]`;
  if (value instanceof Set) return objectText(sorted([...value].map((key) => [key, {}])));
  if (value instanceof Map) return objectText(sorted([...value]));
  return objectText(Object.entries(value));
}

/** The value, or nothing where Go's `omitempty` leaves it out. */
export function unlessEmpty<T extends GoValue>(value: T): T | undefined {
  if (value === '' || value === 0 || value === false || value === null) return undefined;
  if (isList(value)) return value.length === 0 ? undefined : value;
  if (value instanceof Set || value instanceof Map) return value.size === 0 ? undefined : value;
  return value;
}

function objectText(members: readonly (readonly [string, GoValue | undefined])[]): string {
  const texts = members.flatMap(([key, value]) =>
    value === undefined ? [] : [`${goJsonText(key)}:${goJsonText(value)}`],
  );
  return `{${texts.join(',')}}`;
}

function sorted(members: readonly (readonly [string, GoValue])[]): (readonly [string, GoValue])[] {
  return members.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function isList(value: unknown): value is readonly GoValue[] {
  return Array.isArray(value);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
