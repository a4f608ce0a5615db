/** What is in a layer: its entries, and what each file's content is, without the content itself. */
import type { Writable } from 'node:stream';

import type { TarEntry } from '../../images/layers/tar/entry.ts';

export interface LayerListing {
  /** In the order of the tar: an entry's place is its ordinal. */
  entries: TarEntry[];
  /** SHA-256 of each file's content, by ordinal; empty for what has none. */
  digests: string[];
}

/** Lists a layer while its uncompressed tar passes: give the sink every byte of it. The listing is whole once the sink has finished. */
export declare function listing(layer: string): { sink: Writable; listing: LayerListing };
