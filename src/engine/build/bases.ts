/** What stages begin with: images of the store and of registries, named contexts, nothing. */
import type { BuildCache } from '../../build/cache/build-cache.ts';
import type { NamedContext } from '../../build/context/types.ts';
import type { PlannedStage } from '../../build/dockerfile/plan/types.ts';
import { Chain, SCRATCH } from '../../build/executor/chain.ts';
import type { EnvironmentOf } from '../../build/executor/evaluate-stages.ts';
import { Once } from '../../build/executor/once.ts';
import type { LoadImage, PlannedBuild } from '../../build/executor/plan.ts';
import type { BuiltStage } from '../../build/executor/stage.ts';
import type { Steps } from '../../build/executor/steps.ts';
import { ImageDraft } from '../../build/image/image-draft.ts';
import { A3sError } from '../../errors.ts';
import type { Image } from '../../images/image.ts';
import type { Lease } from '../../images/store/leases.ts';
import { requireImage } from '../images.ts';
import type { Engine } from '../types.ts';
import { imageLoader, stageOnImage, wholeName } from './base-images.ts';
import type { Contexts } from './contexts.ts';
import type { BuildInputs } from './inputs.ts';
import { importLayout } from './oci-layout.ts';
import { stageOnDirectory } from './directory-base.ts';

export interface BasesOptions {
  inputs: BuildInputs;
  lease: Lease;
  steps: Steps;
  pull: boolean;
  signal: AbortSignal;
}

export class Bases {
  readonly #engine: Engine;
  readonly #options: BasesOptions;
  readonly #images = new Once<BuiltStage>();
  readonly load: LoadImage;

  constructor(engine: Engine, options: BasesOptions) {
    this.#engine = engine;
    this.#options = options;
    const { lease, steps, pull, signal, inputs } = options;
    const load = imageLoader(engine, { lease, steps, pull, signal, platformAsked: inputs.platformAsked });
    // The step is one for all that ask at the same time.
    const loading = new Map<string, ReturnType<LoadImage>>();
    this.load = (reference, platform) => {
      const key = JSON.stringify([reference, platform]);
      const known = loading.get(key) ?? load(reference, platform);
      loading.set(key, known);
      return known;
    };
  }

  /** The environment that a stage inherits from what is no stage of the Dockerfile. */
  async environmentOf({ plan, imageOf }: PlannedBuild): Promise<EnvironmentOf> {
    const named = new Map<string, readonly string[]>();
    for (const stage of plan.stages) {
      const { base } = stage;
      const context = base.kind === 'context' ? this.#options.inputs.named.get(base.name) : undefined;
      if (base.kind !== 'context' || (context?.kind !== 'image' && context?.kind !== 'oci-layout')) continue;
      named.set(base.name, (await this.named(base.name, context, stage)).draft.env);
    }
    return (base, { platform }) => {
      if (base.kind === 'image') return imageOf(base.reference, platform).config.env;
      return base.kind === 'context' ? (named.get(base.name) ?? []) : [];
    };
  }

  onImage(reference: string, image: Image): Promise<BuiltStage> {
    const { epoch } = this.#options.inputs;
    return this.#images.do(`${reference} ${image.id}`, () =>
      stageOnImage(this.#engine, reference, image, epoch),
    );
  }

  /** The image that a named context stands for. */
  async named(name: string, context: NamedContext, { platform }: PlannedStage): Promise<BuiltStage> {
    if (context.kind === 'image') {
      if (context.reference === 'scratch') return this.#scratch(platform);
      const { image } = await this.load(context.reference, platform);
      return this.onImage(context.reference, image);
    }
    if (context.kind !== 'oci-layout')
      throw new A3sError('invalid_config', `the build context ${name} is no image`);
    const { lease } = this.#options;
    const image = await importLayout(this.#engine.layout, context, { lease, platform });
    return this.onImage(name, image);
  }

  /** What a stage begins with, as its first step. */
  async open(
    stage: PlannedStage,
    { planned, contexts }: { planned: PlannedBuild; contexts: Contexts },
  ): Promise<BuiltStage> {
    const { base, platform } = stage;
    const { steps, signal, inputs } = this.#options;
    const first = (what: string): string =>
      `[${stage.label === '' ? '' : `${stage.label} `}${'1'.padStart(String(stage.steps).length)}/${stage.steps}] FROM ${what}`;
    switch (base.kind) {
      case 'scratch':
        return this.#scratch(platform);
      case 'image':
        return steps.run(first(wholeName(base.reference)), signal, () =>
          this.onImage(base.reference, planned.imageOf(base.reference, platform)),
        );
      case 'context': {
        const context = inputs.named.get(base.name);
        return steps.run(first(base.name), signal, () =>
          context?.kind === 'image' || context?.kind === 'oci-layout'
            ? this.named(base.name, context, stage)
            : stageOnDirectory(this.#engine.layout, { contexts, stage, name: base.name, ...this.#options }),
        );
      }
      case 'stage':
        throw new Error('a stage on a stage has its base');
      default:
        return base satisfies never;
    }
  }

  /** `--cache-from`: an image of the store; another one is left aside, as one that cannot be had is with BuildKit. */
  async cacheFrom(cache: BuildCache, reference: string): Promise<void> {
    const { steps, signal } = this.#options;
    await steps.run(`importing cache manifest from ${reference}`, signal, async () => {
      const image = await requireImage(this.#engine, reference).catch((error: unknown) => {
        if (error instanceof A3sError && error.code === 'no_such_image') return null;
        throw error;
      });
      if (image !== null) cache.from(image.id);
    });
  }

  #scratch(platform: PlannedStage['platform']): BuiltStage {
    const { epoch } = this.#options.inputs;
    return { draft: ImageDraft.scratch(platform, { epoch }), chain: Chain.on(SCRATCH), steps: [] };
  }
}
