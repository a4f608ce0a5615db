/** `--filter` of `images` and `image prune`, and the operand of `images`. */
import { matchesGlob } from 'node:path';

import { parseTimestamp } from '../../engine/timestamps.ts';
import { A3sError } from '../../errors.ts';
import { anyMatch, type Filters, labelsMatch, parseFilters } from './filters.ts';
import type { ImageRow } from './image-listing.ts';

/** What filters look at. */
export interface FilteredImage {
  /** RFC 3339; empty when the image does not say. */
  created: string;
  config: { labels: Readonly<Record<string, string>> };
}

const TRUE = ['true', '1', 't'];
const FALSE = ['false', '0', 'f'];

/**
 * @param find the image that a filter names.
 * @throws A3sError for a key or a value that is not known, `no_such_image`.
 */
export async function imageFilter(
  given: readonly string[],
  operand: string | undefined,
  find: (name: string) => Promise<FilteredImage>,
): Promise<(row: ImageRow, image: FilteredImage) => boolean> {
  const filters = parseFilters(given, ['dangling', 'label', 'reference', 'before', 'since', 'until']);
  const dangling = filters.get('dangling')?.map((value) => truth('dangling', value));
  const before = await createdOf(filters, 'before', find);
  const since = await createdOf(filters, 'since', find);
  const until = untilOf(filters);
  return (row, image) =>
    (dangling === undefined || dangling.some((wanted) => isDangling(row, wanted))) &&
    anyMatch(filters, 'reference', (pattern) => names(row, pattern)) &&
    labelsMatch(filters, image.config.labels) &&
    before.every((time) => createdAt(image) < time) &&
    since.every((time) => createdAt(image) > time) &&
    createdAt(image) < until &&
    (operand === undefined || names(row, operand));
}

/** @throws A3sError for a key or a value that is not known. */
export function imagePruneFilter(given: readonly string[]): {
  all: boolean;
  matches: (image: FilteredImage) => boolean;
} {
  const filters = parseFilters(given, ['dangling', 'label', 'label!', 'until']);
  const until = untilOf(filters);
  const unwanted: Filters = new Map([['label', filters.get('label!') ?? []]]);
  return {
    all: (filters.get('dangling') ?? []).some((value) => !truth('dangling', value)),
    matches: (image) =>
      createdAt(image) < until &&
      labelsMatch(filters, image.config.labels) &&
      (unwanted.get('label')?.length === 0 || !labelsMatch(unwanted, image.config.labels)),
  };
}

/** An image that a registry alone names, by a digest, passes for both: so it does in Docker. */
function isDangling({ repository, tag }: ImageRow, wanted: boolean): boolean {
  return wanted ? tag === '<none>' : repository !== '<none>';
}

function truth(key: string, value: string): boolean {
  if (TRUE.includes(value.toLowerCase())) return true;
  if (FALSE.includes(value.toLowerCase())) return false;
  throw new A3sError('invalid_config', `invalid filter '${key}=[${value}]'`);
}

function createdAt(image: FilteredImage): number {
  return image.created === '' ? 0 : Date.parse(image.created);
}

function createdOf(
  filters: Filters,
  key: string,
  find: (name: string) => Promise<FilteredImage>,
): Promise<number[]> {
  return Promise.all((filters.get(key) ?? []).map(async (name) => createdAt(await find(name))));
}

/** Milliseconds since 1970; whatever was made later does not match. */
function untilOf(filters: Filters): number {
  const times = (filters.get('until') ?? []).map((text) => Number(parseTimestamp(text) / 1_000_000n));
  return Math.min(Infinity, ...times);
}

/** Far more than a name has; Node's matcher throws for a pattern of 64 KiB. */
const LONGEST_PATTERN = 4096;

/** A pattern of a repository, with or without a tag; a star stays within a path's part. */
function names({ repository, tag }: ImageRow, pattern: string): boolean {
  if (pattern.length > LONGEST_PATTERN) return false;
  return matchesGlob(repository, pattern) || matchesGlob(`${repository}:${tag}`, pattern);
}
