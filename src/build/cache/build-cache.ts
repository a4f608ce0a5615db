/** What earlier builds have made, by what went into it. */
import type { Lease } from '../../images/store/leases.ts';
import type { Layout } from '../../state/layout.ts';
import type { StepResult } from './built-layer.ts';

/** What is noted of a step for whoever lists the cache. */
export interface StepNotes {
  /** As progress names it: `[build 2/3] RUN make`. */
  description: string;
  /** The key of the step that it was made on; null for the first one of a stage. */
  parent: string | null;
}

/**
 * The cache of one build. Keys are texts of any form and length, made by the caller of everything that went in; equal keys mean equal
 * results. What is found or put stays in the store at least as long as the lease does.
 */
export declare class BuildCache {
  constructor(layout: Layout, lease: Lease);
  /**
   * What a step with this key left behind, in this build's cache or in images given to `from`; null when that is not known or its layer
   * is gone.
   */
  find(key: string): Promise<StepResult | null>;
  /** Notes what a step left behind. Its layer has to be in the store, under the lease. */
  put(key: string, result: StepResult, notes: StepNotes): Promise<void>;
  /** What `remember` was given for the key, checked by the caller; undefined when it is not known. */
  recall(key: string): unknown;
  /** Keeps a small value: a file's digest by its state, a URL's by its ETag. */
  remember(key: string, value: unknown): Promise<void>;
  /** `--cache-from`: steps that the image in the store was made of become known as well. @returns how many. */
  from(imageId: string): Promise<number>;
}
