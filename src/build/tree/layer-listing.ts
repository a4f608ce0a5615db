/** What is in a layer: its entries, and what each file's content is, without the content itself. */
import { createHash, type Hash } from 'node:crypto';
import type { Writable } from 'node:stream';

import { Budget, errorOf } from '../../images/layers/limits.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { TarReader } from '../../images/layers/tar/reader.ts';
import { tarSink } from '../../images/layers/tar-sink.ts';

export interface LayerListing {
  /** In the order of the tar: an entry's place is its ordinal. */
  entries: TarEntry[];
  /** SHA-256 of each file's content without its holes, by ordinal; empty for what has none. */
  digests: string[];
}

/**
 * Lists a layer while its uncompressed tar passes: the sink gets every byte of it. The listing is whole once the sink has finished.
 * @param layer its digest, for errors
 */
export function listing(layer: string): { sink: Writable; listing: LayerListing } {
  const found: LayerListing = { entries: [], digests: [] };
  let hash: Hash | null = null;
  const endLast = (): void => {
    if (hash === null) return;
    found.digests[found.entries.length - 1] = hash.digest('hex');
    hash = null;
  };
  const reader = new TarReader(errorOf(layer), new Budget(), {
    entry(entry) {
      endLast();
      found.entries.push(entry);
      found.digests.push('');
      if (entry.type === 'file') hash = createHash('sha256');
    },
    content: (bytes) => void hash?.update(bytes),
  });
  const sink = tarSink(reader);
  // Before whoever waits for the end hears of it.
  sink.prependListener('finish', endLast);
  return { sink, listing: found };
}
