/** What an instruction adds to a stage, before it is written. */
import type { Writable } from 'node:stream';

import { Emitter } from '../tree/emit.ts';
import type { LayerListing } from '../tree/layer-listing.ts';
import { TarWriter } from '../tree/tar-writer.ts';
import { type Destination, isPlanned, NOTHING } from './destination.ts';

export interface WriteOptions {
  /** SOURCE_DATE_EPOCH, in seconds since 1970: no entry is newer. Null without. */
  maxMtime: number | null;
  signal?: AbortSignal;
}

export interface LayerPlan {
  /**
   * Of everything that decides what the layer is, besides the root below: destination, owner and mode, and of what is copied names, types,
   * modes, owners, links, attributes, contents; not times. A SHA-256 in hexadecimal.
   */
  readonly contentDigest: string;
  /**
   * Writes the layer as an OCI layer tar, uncompressed, with its end; does not end the sink. What it reads has to be as it was
   * when the plan was made.
   * @throws DockerfileError in BuildKit's words for what cannot be put where it should go; A3sError `io`.
   */
  write(sink: Writable, options: WriteOptions): Promise<void>;
  /** What was written, for `RootLayer`; null before. */
  readonly listing: LayerListing | null;
}

/** @param carryOut makes the changes, in memory */
export function layerPlan(
  contentDigest: string,
  carryOut: (signal: AbortSignal | undefined) => Promise<Destination>,
): LayerPlan {
  let listing: LayerListing | null = null;
  return {
    contentDigest,
    get listing() {
      return listing;
    },
    async write(sink, { maxMtime, signal }) {
      const destination = await carryOut(signal);
      const writer = new TarWriter(sink, { maxMtime, signal });
      const emitter = new Emitter(
        writer,
        (leaf) => (isPlanned(leaf) ? leaf.origin : { source: NOTHING, leaf }),
        signal,
      );
      await destination.emit(emitter);
      await writer.end();
      listing = writer.listing;
    },
  };
}
