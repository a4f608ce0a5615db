/** `--filter` of `volume ls` and `volume prune`. */
import type { listVolumes } from '../../engine/volumes/volumes.ts';
import { A3sError } from '../../errors.ts';
import { anyMatch, labelsMatch, parseFilters } from './filters.ts';

export type ListedVolume = Awaited<ReturnType<typeof listVolumes>>[number];

const TRUE = ['1', 'true'];
const FALSE = ['0', 'false'];

/** @throws A3sError in Docker's words for a key or a value that is none. */
export function volumeFilter(given: readonly string[]): (volume: ListedVolume) => boolean {
  const filters = parseFilters(given, ['dangling', 'driver', 'label', 'name']);
  for (const value of filters.get('dangling') ?? []) truth('dangling', value);
  return (volume) =>
    anyMatch(filters, 'dangling', (value) => truth('dangling', value) !== volume.inUse) &&
    anyMatch(filters, 'driver', (value) => value === volume.Driver) &&
    anyMatch(filters, 'name', (value) => matchesPattern(value, volume.Name)) &&
    labelsMatch(filters, volume.Labels ?? {});
}

export interface PruneFilter {
  /** `all=…`; undefined when it was not given. */
  all: boolean | undefined;
  matches: (labels: Readonly<Record<string, string>>) => boolean;
}

/** `label=`, `label!=` and `all=`. Errors as in volumeFilter. */
export function pruneFilter(given: readonly string[]): PruneFilter {
  const filters = parseFilters(given, ['all', 'label', 'label!']);
  const without = filters.get('label!') ?? [];
  return {
    all: filters.get('all')?.reduce<boolean>((_, value) => truth('all', value), false),
    matches: (labels) =>
      labelsMatch(filters, labels) &&
      !without.some((label) => labelsMatch(new Map([['label', [label]]]), labels)),
  };
}

function truth(key: string, value: string): boolean {
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw new A3sError('invalid_config', `invalid filter '${key}=${value}'`);
}

/** As Docker: a regular expression anywhere in the name; one that does not parse is compared as it is. */
function matchesPattern(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return text === pattern;
  }
}
