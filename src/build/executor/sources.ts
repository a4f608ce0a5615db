/** The trees that steps read, each opened once. */
import type { PlannedStage, Source } from '../dockerfile/plan/types.ts';
import type { SourceTree } from '../tree/source-tree.ts';
import { Chain, SCRATCH } from './chain.ts';
import { Once } from './once.ts';

/** A tree, and what is known of it without reading: equal identities are equal trees. */
export interface OpenSource {
  tree: SourceTree;
  identity: string | null;
}

export interface SourceProviders {
  /** The main context. */
  context: () => Promise<OpenSource>;
  /** `--build-context`. */
  named: (name: string, stage: PlannedStage) => Promise<OpenSource>;
  image: (reference: string, stage: PlannedStage) => Promise<Chain>;
  /** A stage when it is finished. */
  stage: (index: number) => Promise<Chain>;
}

export class Sources {
  readonly #providers: SourceProviders;
  readonly #once = new Once<OpenSource>();

  constructor(providers: SourceProviders) {
    this.#providers = providers;
  }

  /** @param source undefined: the build context @param stage the one that asks: images are for its platform */
  open(source: Source | undefined, stage: PlannedStage): Promise<OpenSource> {
    const { context, named, image, stage: finished } = this.#providers;
    switch (source?.kind) {
      case undefined:
        return this.#once.do('context', context);
      case 'context':
        return this.#once.do(`context ${source.name}`, () => named(source.name, stage));
      case 'image':
        return image(source.reference, stage).then(sourceOf);
      case 'stage':
        return finished(source.index).then(sourceOf);
      case 'scratch':
        return Promise.resolve(sourceOf(Chain.on(SCRATCH)));
      default:
        return source satisfies never;
    }
  }
}

function sourceOf({ tree, identity }: Chain): OpenSource {
  return { tree, identity };
}
