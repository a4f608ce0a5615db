/** `FROM` a named context that is a directory: its files are the root. */
import { storeLayer } from '../../build/cache/layers.ts';
import type { Copy } from '../../build/dockerfile/instructions/types.ts';
import type { PlannedStage } from '../../build/dockerfile/plan/types.ts';
import { Chain, SCRATCH } from '../../build/executor/chain.ts';
import type { BuiltStage } from '../../build/executor/stage.ts';
import { ImageDraft } from '../../build/image/image-draft.ts';
import { planTransfer } from '../../build/transfer/plan-transfer.ts';
import type { Lease } from '../../images/store/leases.ts';
import type { Layout } from '../../state/layout.ts';
import type { Contexts } from './contexts.ts';
import type { BuildInputs } from './inputs.ts';

export interface DirectoryBaseOptions {
  contexts: Contexts;
  stage: PlannedStage;
  /** Of the context. */
  name: string;
  inputs: BuildInputs;
  lease: Lease;
  signal: AbortSignal;
}

/** The whole context as one layer of an image without a configuration. */
export async function stageOnDirectory(
  layout: Layout,
  { contexts, stage, name, inputs: { epoch }, lease, signal }: DirectoryBaseOptions,
): Promise<BuiltStage> {
  const { tree } = await contexts.named(name, stage);
  const empty = Chain.on({ ...SCRATCH, name });
  const plan = await planTransfer(everything(stage), {
    source: tree,
    root: empty.tree,
    workdir: '/',
    signal,
  });
  const layer = await storeLayer(
    layout,
    lease,
    (sink) => plan.write(sink, { maxMtime: epoch, signal }),
    signal,
  );
  const draft = ImageDraft.scratch(stage.platform, { epoch });
  if (layer === null) return { draft, chain: empty, steps: [] };
  const created = new Date(epoch === null ? Date.now() : epoch * 1000).toISOString();
  draft.apply(everything(stage), { words: [], declared: [], workingDirectory: '/' }, { layer, created });
  return { draft, chain: empty.with(layout, layer), steps: [] };
}

function everything({ from }: PlannedStage): Copy {
  return {
    kind: 'copy',
    source: `COPY ${from.base} /`,
    lines: from.lines,
    sources: ['.'],
    files: [],
    destination: '/',
    chown: '',
    chmod: '',
    link: false,
    exclude: [],
    from: '',
    parents: false,
  };
}
