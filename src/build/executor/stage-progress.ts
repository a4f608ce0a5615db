/** A stage while it is built: what its steps so far have made of it. */
import type { BuiltLayer, StepResult } from '../cache/built-layer.ts';
import type { ImageStep } from '../cache/image-steps.ts';
import type { PlannedStage } from '../dockerfile/plan/types.ts';
import type { ImageDraft } from '../image/image-draft.ts';
import type { Chain } from './chain.ts';
import type { Step } from './evaluate-stages.ts';
import { cacheKey, type KeyPart } from './key.ts';
import type { Machine } from './machine.ts';
import type { BuildSession } from './session.ts';
import type { StepReport } from './steps.ts';

export class StageProgress {
  readonly session: BuildSession;
  readonly stage: PlannedStage;
  readonly draft: ImageDraft;
  readonly machine: Machine;
  /** What the stage was made of since its base image. */
  readonly steps: ImageStep[];
  chain: Chain;
  #parent: string | null = null;

  constructor(
    session: BuildSession,
    stage: PlannedStage,
    {
      draft,
      chain,
      steps,
      machine,
    }: Pick<StageProgress, 'draft' | 'chain' | 'machine'> & {
      steps: readonly ImageStep[];
    },
  ) {
    this.session = session;
    this.stage = stage;
    this.draft = draft;
    this.chain = chain;
    this.steps = [...steps];
    this.#parent = steps.at(-1)?.key ?? null;
    this.machine = machine;
  }

  /** A key of the cache for a step of this build: with SOURCE_DATE_EPOCH layers have other times, and so other digests. */
  keyOf(kind: string, parts: KeyPart): string {
    const { epoch } = this.session;
    return cacheKey(kind, epoch === null ? parts : { epoch, parts });
  }

  /**
   * What a step with this key has left behind: in an earlier build, in another stage of this one, or now.
   * @param make does the step; null: it changed nothing
   */
  async cached(
    key: string,
    step: Pick<Step, 'text'>,
    report: StepReport,
    make: () => Promise<BuiltLayer | null>,
  ): Promise<StepResult> {
    const { once, epoch } = this.session;
    let made = false;
    // What is to be made anew is not what another stage may take from an earlier build.
    const result = await once.do(`${this.#isFresh} ${key}`, async () => {
      const found = await this.known(key);
      if (found !== null) return found;
      made = true;
      const layer = await make();
      const created = new Date(epoch === null ? Date.now() : epoch * 1000).toISOString();
      await this.note(key, step, { layer, created });
      return { layer, created };
    });
    if (!made) report.cached();
    return result;
  }

  /** What an earlier build has noted under this key; null when the stage is to be made anew. */
  async known(key: string): Promise<StepResult | null> {
    return this.#isFresh ? null : this.session.cache.find(key);
  }

  get #isFresh(): boolean {
    return this.session.isFresh(this.stage.from.name);
  }

  /** Notes a result under a further key. */
  async note(key: string, { text }: Pick<Step, 'text'>, result: StepResult): Promise<void> {
    await this.session.cache.put(key, result, { description: text, parent: this.#parent });
  }

  /** A step is done. */
  advance(key: string, { text, instruction }: Pick<Step, 'text' | 'instruction'>, result: StepResult): void {
    this.#parent = key;
    this.steps.push({ key, result, description: text });
    if (result.layer === null) {
      if (instruction.kind === 'run') this.chain = this.chain.afterCommand();
      return;
    }
    const { layout, listings } = this.session;
    this.chain = this.chain.with(layout, result.layer, listings.get(result.layer.diffId));
  }
}
