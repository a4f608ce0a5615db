/** `--filter` of `images`, and its operand. */
import { matchesGlob } from 'node:path';

import { anyMatch, labelsMatch, parseFilters } from './filters.ts';
import type { ImageRow } from './image-listing.ts';

const TRUE = ['true', '1', 't'];

/** @throws A3sError for a key that is not known or not supported */
export function imageFilter(
  given: readonly string[],
  operand: string | undefined,
): (row: ImageRow, labels: Readonly<Record<string, string>>) => boolean {
  const filters = parseFilters(given, ['dangling', 'label', 'reference'], ['before', 'since', 'until']);
  return (row, labels) =>
    anyMatch(filters, 'dangling', (value) => TRUE.includes(value.toLowerCase()) === (row.tag === '<none>')) &&
    anyMatch(filters, 'reference', (pattern) => names(row, pattern)) &&
    labelsMatch(filters, labels) &&
    (operand === undefined || names(row, operand));
}

/** A pattern of a repository, with or without a tag; a star stays within a path's part. */
function names({ repository, tag }: ImageRow, pattern: string): boolean {
  return matchesGlob(repository, pattern) || matchesGlob(`${repository}:${tag}`, pattern);
}
