/** Flags as data: what help, the parser, and docs/compatibility.md are made from. */
import type { KindName, KindValue } from './kinds.ts';

export interface FlagSpec {
  readonly kind: KindName;
  /** The one-letter form. */
  readonly short?: string;
  readonly help: string;
  /** The value's text when the flag is not given. */
  readonly default?: string;
  /** Not shown in help. */
  readonly hidden?: true;
  /** Another spelling of this flag; shares its value. */
  readonly aliasOf?: string;
  /**
   * Docker has it and a3s-box has not: giving another value than `default` is an error. A text says why there will be none;
   * `true` that there is none yet.
   */
  readonly refused?: true | string;
  /** For completion: the values there are, or `image` for names of images; without it the shell offers files. */
  readonly values?: readonly string[] | 'image';
  /** What Docker's flag can and this one cannot; for docs/compatibility.md. */
  readonly partly?: string;
  /** Further values of a refused flag that ask for what happens anyway. */
  readonly accepts?: readonly string[];
}

/** The flags of one command by their long names. */
export type FlagSet = Readonly<Record<string, FlagSpec>>;

type ValueOf<S extends FlagSpec> = S extends { default: string }
  ? Exclude<KindValue<S['kind']>, undefined>
  : KindValue<S['kind']>;

/** The values a command receives: one for each flag it supports. */
export type FlagValues<F extends FlagSet> = {
  readonly [
    N in keyof F as F[N] extends { refused: true | string } | { aliasOf: string } ? never : N
  ]: ValueOf<F[N]>;
};

/** A flag of Docker's that cannot mean anything here, with the reason. */
export function never<const K extends KindName>(
  kind: K,
  refused: string,
  ...accepts: readonly string[]
): { kind: K; help: string; refused: string; accepts: readonly string[] } {
  return { kind, help: '', refused, accepts };
}

/** `refused('list', 'cap-add', …)`: Docker's flags that this version knows and refuses. */
export function refused<const N extends string>(
  kind: KindName,
  ...names: readonly N[]
): Record<N, { kind: KindName; help: string; refused: true }> {
  const spec = { kind, help: '', refused: true } as const;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names
  return Object.fromEntries(names.map((name) => [name, spec])) as Record<N, typeof spec>;
}
