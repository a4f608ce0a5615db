/** `ps`: which boxes there are. */
import type { BoxRecord } from '../state/record.ts';
import { allBoxes, isUp } from './engine.ts';
import { type BoxFilter, parseBoxFilters } from './filters.ts';
import { requireImage } from './images.ts';
import { A3sError } from '../errors.ts';
import { newestFirst } from './newest-first.ts';
import type { Engine } from './types.ts';

export interface ListOptions {
  /** Boxes that do not run, too. */
  all: boolean;
  /** `key=value`, as `--filter` takes them. */
  filters: readonly string[];
  /** Only this many, the newest, whether they run or not; undefined for all. */
  last: number | undefined;
}

/**
 * Boxes, newest first.
 * @throws A3sError `usage` for a bad filter, `unsupported` for one of Docker's that is not there yet.
 */
export async function listBoxes(engine: Engine, options: ListOptions): Promise<BoxRecord[]> {
  const filter = parseBoxFilters(options.filters);
  const boxes = (await allBoxes(engine)).toSorted((a, b) => newestFirst(a.created_at, b.created_at));
  const ancestors = await imageIds(engine, filter);
  const everyState = options.all || filter.namesState || options.last !== undefined;
  const matching = boxes.filter(
    (box) => (everyState || isUp(box)) && filter.matches(box, boxes) && isFrom(box, filter, ancestors),
  );
  return options.last === undefined ? matching : matching.slice(0, options.last);
}

/** IDs of the images that `ancestor=` names; a name without an image matches by its text alone. */
async function imageIds(engine: Engine, filter: BoxFilter): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const ancestor of filter.ancestors) {
    try {
      ids.add((await requireImage(engine, ancestor)).id);
    } catch (error) {
      if (!(error instanceof A3sError)) throw error;
    }
  }
  return ids;
}

function isFrom(box: BoxRecord, { ancestors }: BoxFilter, ids: ReadonlySet<string>): boolean {
  return ancestors.length === 0 || ancestors.includes(box.image) || ids.has(box.image_id);
}
