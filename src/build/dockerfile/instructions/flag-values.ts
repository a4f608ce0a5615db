/** The flags of an instruction, `--name=value` (BuildKit's frontend/dockerfile/instructions/bflag.go). */
import { DockerfileError } from '../error.ts';
import { suggest } from '../suggest.ts';

/** `list`: may come several times. */
export type FlagKind = 'bool' | 'string' | 'list';
type FlagKinds = Readonly<Record<string, FlagKind>>;

interface ValueOf {
  bool: boolean | undefined;
  string: string;
  list: string[];
}

/** A bool is undefined when the flag is not given, a string is empty. */
export type FlagValues<K extends FlagKinds> = { [Name in keyof K]: ValueOf[K[Name]] };

/**
 * The values of the flags that an instruction knows.
 * @throws DockerfileError for unknown and repeated flags and wrong values.
 */
export function parseFlags<K extends FlagKinds>(flags: readonly string[], kinds: K): FlagValues<K> {
  const given = new Map<string, string[]>();
  for (const flag of flags) {
    const { name, value } = cut(flag);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined)
      throw new DockerfileError(suggest(`unknown flag: --${name}`, name, Object.keys(kinds)));
    const values = given.get(name) ?? [];
    if (values.length > 0 && kind !== 'list') {
      throw new DockerfileError(`duplicate flag specified: --${name}`);
    }
    given.set(name, [...values, check(name, kind, value)]);
  }
  const result: Record<string, ValueOf[FlagKind]> = {};
  for (const [name, kind] of Object.entries(kinds)) result[name] = valueOf(kind, given.get(name) ?? []);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a value for each name, of its kind
  return result as FlagValues<K>;
}

function cut(flag: string): { name: string; value: string | null } {
  const equals = flag.indexOf('=');
  if (equals < 0) return { name: flag.slice(2), value: null };
  return { name: flag.slice(2, equals), value: flag.slice(equals + 1) };
}

function check(name: string, kind: FlagKind, value: string | null): string {
  if (value === null && kind === 'bool') return 'true';
  if (value === null || (value === '' && kind === 'bool')) {
    throw new DockerfileError(`missing a value on flag: --${name}`);
  }
  if (kind !== 'bool') return value;
  const word = value.toLowerCase();
  if (word === 'true' || word === 'false') return word;
  throw new DockerfileError(`expecting boolean value for flag --${name}, not: ${value}`);
}

function valueOf(kind: FlagKind, values: string[]): ValueOf[FlagKind] {
  if (kind === 'list') return values;
  if (kind === 'string') return values[0] ?? '';
  return values[0] === undefined ? undefined : values[0] === 'true';
}
