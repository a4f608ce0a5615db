/** The trees that a build reads besides its stages: the context, named contexts, images. */
import { openNamedContext } from '../../build/context/named-contexts.ts';
import type { NamedContext, OpenedContext, OpenedSource, SourceOptions } from '../../build/context/types.ts';
import type { PlannedStage } from '../../build/dockerfile/plan/types.ts';
import type { OpenSource } from '../../build/executor/sources.ts';
import type { BuiltStage } from '../../build/executor/stage.ts';
import type { Steps } from '../../build/executor/steps.ts';
import { DirectoryTree, type DigestMemo } from '../../build/tree/directory-tree.ts';
import { A3sError } from '../../errors.ts';

export interface ContextOptions {
  context: OpenedContext;
  named: ReadonlyMap<string, NamedContext>;
  remote: SourceOptions;
  steps: Steps;
  memo: DigestMemo;
  signal: AbortSignal;
  /** Brings the image that a named context stands for. */
  image: (name: string, context: NamedContext, stage: PlannedStage) => Promise<BuiltStage>;
}

/** Opens contexts when a step needs them, and closes them all in the end. */
export class Contexts implements AsyncDisposable {
  readonly #options: ContextOptions;
  readonly #opened: AsyncDisposable[] = [];
  readonly #trees: DirectoryTree[] = [];

  constructor(options: ContextOptions) {
    this.#options = options;
  }

  /** The build context, as a step of its own. */
  main(): Promise<OpenSource> {
    const { context, steps, signal } = this.#options;
    return steps.run('[internal] load build context', signal, async (report) => {
      const tree = this.#treeOf('context', context);
      await tree.open();
      report.finished('transferring context:', context.transferred);
      return { tree, identity: null };
    });
  }

  /** A context of `--build-context`. */
  async named(name: string, stage: PlannedStage): Promise<OpenSource> {
    const { named, remote, steps, signal, image } = this.#options;
    const context = named.get(name);
    if (context === undefined) throw new A3sError('invalid_config', `no build context is named ${name}`);
    if (context.kind === 'image' || context.kind === 'oci-layout') {
      const { chain } = await image(name, context, stage);
      return { tree: chain.tree, identity: chain.identity };
    }
    return steps.run(`[context ${name}] load from client`, signal, async (report) => {
      const source = await openNamedContext(context, remote);
      this.#opened.push(source);
      const tree = this.#treeOf(name, source);
      await tree.open();
      report.finished(`transferring ${name}:`, source.transferred);
      return { tree, identity: null };
    });
  }

  #treeOf(name: string, source: OpenedSource): DirectoryTree {
    const { directory, ignorePatterns, attributes } = source;
    const { memo } = this.#options;
    const tree = new DirectoryTree({ name, directory, ignorePatterns, attributes, memo });
    this.#trees.push(tree);
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tree of this.#trees) tree.close();
    for (const source of this.#opened.toReversed()) await source[Symbol.asyncDispose]();
  }
}
