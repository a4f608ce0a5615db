/** What is in a layer, without its contents. */
import type { Writable } from 'node:stream';

import { Budget, errorOf } from '../../images/layers/limits.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { TarReader } from '../../images/layers/tar/reader.ts';
import { tarSink } from '../../images/layers/tar-sink.ts';

export interface LayerListing {
  /** In the order of the tar: an entry's place is its ordinal. */
  entries: TarEntry[];
}

/**
 * Lists a layer while its uncompressed tar passes: the sink gets every byte of it. The listing is whole once the sink has finished.
 * @param layer its digest, for errors
 */
export function listing(layer: string): { sink: Writable; listing: LayerListing } {
  const found: LayerListing = { entries: [] };
  const reader = new TarReader(errorOf(layer), new Budget(), {
    entry: (entry) => void found.entries.push(entry),
    content: () => undefined,
  });
  return { sink: tarSink(reader), listing: found };
}
