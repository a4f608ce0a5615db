/** `--filter key=value`: values of one key are alternatives, keys must all hold. */
import { A3sError } from '../../errors.ts';

/** The values given for each key. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/**
 * @param known the keys this list takes
 * @param refused keys of Docker's that this version lacks
 * @throws A3sError for any other key, in Docker's words
 */
export function parseFilters(
  given: readonly string[],
  known: readonly string[],
  refused: readonly string[] = [],
): Filters {
  const filters = new Map<string, string[]>();
  for (const text of given) {
    const equals = text.indexOf('=');
    const key = text.slice(0, equals).trim().toLowerCase();
    if (refused.includes(key)) {
      throw new A3sError('unsupported', `--filter ${key} is not supported yet`);
    }
    if (!known.includes(key)) throw new A3sError('invalid_config', `invalid filter '${key}'`);
    filters.set(key, [...(filters.get(key) ?? []), text.slice(equals + 1).trim()]);
  }
  return filters;
}

/** True when nothing was asked about the key, or one of the answers fits. */
export function anyMatch(filters: Filters, key: string, fits: (value: string) => boolean): boolean {
  const values = filters.get(key);
  return values === undefined || values.some(fits);
}

/** `label=K` and `label=K=V`; all that are given must hold. */
export function labelsMatch(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  return (filters.get('label') ?? []).every((wanted) => {
    const equals = wanted.indexOf('=');
    const key = equals === -1 ? wanted : wanted.slice(0, equals);
    if (!Object.hasOwn(labels, key)) return false;
    return equals === -1 || labels[key] === wanted.slice(equals + 1);
  });
}
