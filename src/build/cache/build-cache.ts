/** What earlier builds have made, by what went into it. */
import { hasBlob } from '../../images/store/ingest.ts';
import type { Lease } from '../../images/store/leases.ts';
import type { Layout } from '../../state/layout.ts';
import type { StepResult } from './built-layer.ts';
import { stepsOfImage } from './image-steps.ts';
import { recallMemo, rememberMemo } from './memos.ts';
import { hashOf, readStep, type Step, writeStep } from './step-file.ts';

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
export class BuildCache {
  readonly #layout: Layout;
  readonly #lease: Lease;
  /** From images, by the hashes of their keys. */
  readonly #imported = new Map<string, Step>();

  constructor(layout: Layout, lease: Lease) {
    this.#layout = layout;
    this.#lease = lease;
  }

  /**
   * What a step with this key left behind, in earlier builds or in images given to `from`; null when that is not known or its layer
   * is gone.
   */
  async find(key: string): Promise<StepResult | null> {
    const hash = hashOf(key);
    const own = readStep(this.#layout, hash);
    const step = (await this.#held(own)) ?? (await this.#held(this.#imported.get(hash)));
    if (step === null) return null;
    // Written again: its time tells when it was last used, and what came with an image is known from now on.
    writeStep(this.#layout, hash, { ...step, uses: step.uses + 1 });
    return { layer: step.layer, created: step.created };
  }

  /** Notes what a step left behind. Its layer has to be in the store, under the lease. */
  async put(key: string, { layer, created }: StepResult, { description, parent }: StepNotes): Promise<void> {
    if (layer !== null) await this.#lease.hold([layer.digest]);
    const below = parent === null ? null : hashOf(parent);
    writeStep(this.#layout, hashOf(key), { layer, created, description, parent: below, uses: 1 });
  }

  /** What `remember` was given for the key; the caller checks its form. Undefined when it is not known. */
  recall(key: string): unknown {
    return recallMemo(this.#layout, key);
  }

  /** Keeps a small value: a file's digest by its state, a URL's by its ETag. */
  remember(key: string, value: unknown): void {
    rememberMemo(this.#layout, key, value);
  }

  /**
   * `--cache-from`: steps that the image in the store was made of become known as well.
   * @returns how many; 0 for an image that tells of none.
   * @throws A3sError `image_broken`.
   */
  from(imageId: string): number {
    const steps = stepsOfImage(this.#layout, imageId);
    for (const { hash, step } of steps) this.#imported.set(hash, step);
    return steps.length;
  }

  /** The step if its layer is there, from now on under the lease. */
  async #held(step: Step | null | undefined): Promise<Step | null> {
    if (step === null || step === undefined) return null;
    const { layer } = step;
    if (layer === null) return step;
    if (!hasBlob(this.#layout, layer.digest, layer.size)) return null;
    await this.#lease.hold([layer.digest]);
    // A garbage collection may have been faster.
    return hasBlob(this.#layout, layer.digest, layer.size) ? step : null;
  }
}
