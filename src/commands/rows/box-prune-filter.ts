/** `--filter` of `container prune`. */
import { parseTimestamp } from '../../engine/timestamps.ts';
import { labelsMatch, parseFilters } from './filters.ts';
import type { BoxRecord } from './records.ts';

/** `until=`, `label=` and `label!=`. @throws A3sError for a key or a value that is none. */
export function boxPruneFilter(given: readonly string[]): (box: BoxRecord) => boolean {
  const filters = parseFilters(given, ['label', 'label!', 'until']);
  const times = (filters.get('until') ?? []).map((text) => Number(parseTimestamp(text) / 1_000_000n));
  const until = Math.min(Infinity, ...times);
  const without = filters.get('label!') ?? [];
  return ({ created_at, labels }) =>
    Date.parse(created_at) < until &&
    labelsMatch(filters, labels) &&
    !without.some((label) => labelsMatch(new Map([['label', [label]]]), labels));
}
