/** The first look at a layer: its entries without their content, all that merging needs. */
import type { Writable } from 'node:stream';

import { Budget, errorOf } from './limits.ts';
import type { TarEntry } from './tar/entry.ts';
import { TarReader } from './tar/reader.ts';
import { tarSink } from './tar-sink.ts';

export interface LayerIndex {
  /** In the order of the tar: an entry's place is its ordinal. */
  entries: TarEntry[];
}

/**
 * Builds the index of a layer from its uncompressed tar, whoever streams it: a pull may do so while it downloads.
 * @param layer its digest, for errors.
 * @param budget one for all layers of an image.
 * @returns the index, whole once the sink has finished.
 */
export function indexing(layer: string, budget = new Budget()): { sink: Writable; index: LayerIndex } {
  const index: LayerIndex = { entries: [] };
  const reader = new TarReader(errorOf(layer), budget, {
    entry: (entry) => void index.entries.push(entry),
    content: () => undefined,
  });
  return { sink: tarSink(reader), index };
}
