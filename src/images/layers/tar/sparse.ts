/** Sparse files in all of GNU tar's forms: the old header (`S`), PAX 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). */
import { MAX_SPARSE_SEGMENTS } from '../limits.ts';
import type { Segment } from './entry.ts';
import { BLOCK } from './header.ts';
import { headerNumber, paxInteger } from './number.ts';
import type { Pax } from './pax.ts';

/** Reads `count` pairs of the old form and says whether another block of them follows. */
export function oldSparsePairs(
  block: Buffer,
  offset: number,
  count: number,
): [numbers: number[], more: boolean] {
  const numbers: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const at = offset + 24 * n;
    // A pair that is not there ends the list.
    if (block[at] === 0) break;
    numbers.push(headerNumber(block, at, 12), headerNumber(block, at + 12, 12));
  }
  return [numbers, block[offset + 24 * count] !== 0];
}

/** The map of the forms 0.0 and 0.1; null when the header has none. */
export function paxSparseNumbers(pax: Pax): number[] | null {
  const map = pax.records.get('GNU.sparse.map');
  if (map !== undefined) return map === '' ? [] : map.split(',').map(paxInteger);
  if (pax.sparse.length > 0) return pax.sparse.map(paxInteger);
  return pax.records.has('GNU.sparse.numblocks') ? [] : null;
}

/** Collects the map of the form 1.0, decimal lines in front of the data, block by block. */
export class SparseMap {
  #rest = '';
  readonly #numbers: number[] = [];

  /** @returns the numbers once the last one is there, null before; NaN among them for what is no map. */
  add(block: Buffer): number[] | null {
    const lines = (this.#rest + block.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#numbers.push(paxInteger(line));
      const [count = Number.NaN] = this.#numbers;
      if (!(count <= MAX_SPARSE_SEGMENTS)) return [Number.NaN];
      if (this.#numbers.length > 2 * count) return this.#numbers.slice(1);
    }
    // A line that has no end is no number.
    return this.#rest.length > 2 * BLOCK ? [Number.NaN] : null;
  }
}

/**
 * The map as segments, without the empty ones that mark the end of a file.
 * @returns what is wrong with it when it does not fit a file of `size` bytes of which `stored` are in the archive.
 */
export function segmentsOf(numbers: readonly number[], size: number, stored: number): Segment[] | string {
  if (numbers.length > 2 * MAX_SPARSE_SEGMENTS) return `has more than ${MAX_SPARSE_SEGMENTS} pieces`;
  const segments: Segment[] = [];
  let end = 0;
  let sum = 0;
  for (let n = 0; n < numbers.length; n += 2) {
    const offset = numbers[n] ?? Number.NaN;
    const length = numbers[n + 1] ?? Number.NaN;
    // Written so that NaN fails.
    if (!(offset >= end && length >= 0 && offset + length <= size)) return 'has a bad map of its holes';
    if (length > 0) segments.push({ offset, length });
    end = offset + length;
    sum += length;
  }
  return sum === stored ? segments : 'has a bad map of its holes';
}
