/** A layer that a build has made, as it lies in the image store. */
export interface BuiltLayer {
  mediaType: string;
  /** Of the blob. */
  digest: string;
  /** Bytes of the blob. */
  size: number;
  /** Digest of the uncompressed tar. */
  diffId: string;
  /** Bytes of the files in it: what `history` shows. */
  contentBytes: number;
}

/** What a step left behind, made now or found in the cache. */
export interface StepResult {
  /** Null: the step changed nothing. */
  layer: BuiltLayer | null;
  /** RFC 3339, when it was made: a cached step keeps its time, so that the same build gives the same image. */
  created: string;
}
