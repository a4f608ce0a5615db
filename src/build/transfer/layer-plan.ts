/** What an instruction adds to a stage, before it is written. */
import type { Writable } from 'node:stream';

export interface WriteOptions {
  /** SOURCE_DATE_EPOCH, seconds since 1970: no entry is newer. Null without. */
  maxMtime: number | null;
  signal?: AbortSignal;
}

export interface LayerPlan {
  /**
   * Of everything that decides what the layer is, besides the root below and the instruction's flags: names, types, modes, owners, links,
   * attributes, contents; not times. A SHA-256 in hexadecimal; part of the key in the cache.
   */
  readonly contentDigest: string;
  /**
   * Writes the layer as an OCI layer tar, uncompressed, with its end; does not end the sink. What it reads must be as it was
   * when the plan was made.
   * @throws DockerfileError in BuildKit's words for what cannot be put where it should go; A3sError `io`.
   */
  write(sink: Writable, options: WriteOptions): Promise<void>;
}
