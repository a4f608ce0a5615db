/** COPY, ADD and WORKDIR: found in the cache, or made from the trees that they read. */
import { posix } from 'node:path';
import type { Writable } from 'node:stream';

import type { BuiltLayer, StepResult } from '../cache/built-layer.ts';
import { storeLayer } from '../cache/layers.ts';
import type { Add, Copy, Workdir } from '../dockerfile/instructions/types.ts';
import { transferSourceKind } from '../dockerfile/evaluate/transfer-source.ts';
import type { LayerPlan } from '../transfer/layer-plan.ts';
import { planDirectory } from '../transfer/plan-directory.ts';
import { isIndependent, planTransfer } from '../transfer/plan-transfer.ts';
import type { Step } from './evaluate-stages.ts';
import { cacheKey, type KeyPart } from './key.ts';
import { fetchSources } from './remote-sources.ts';
import type { StageProgress } from './stage-progress.ts';
import type { StepReport } from './steps.ts';

export async function transferStep(
  progress: StageProgress,
  step: Step,
  instruction: Copy | Add,
  report: StepReport,
): Promise<{ result: StepResult; key: string }> {
  const { session, stage, draft, chain } = progress;
  const source = readsTree(instruction) ? await session.sources.open(step.sources[0], stage) : null;
  const about: Record<string, KeyPart> = {
    ...flagsOf(instruction),
    workdir: draft.workingDirectory,
    root: isIndependent(instruction) ? null : chain.identity,
  };
  const isRemote =
    instruction.kind === 'add' && instruction.sources.some((one) => transferSourceKind(one) !== 'path');
  // What is known to be the same without a look need not be read.
  const quick =
    isRemote || source?.identity === null
      ? null
      : cacheKey('transfer', { about, source: source?.identity ?? null });
  const make = async (): Promise<{ key: string; result: StepResult }> => {
    await using remote = await fetchSources(session, instruction);
    const plan = await planTransfer(instruction, {
      source: source?.tree ?? null,
      root: chain.tree,
      workdir: draft.workingDirectory,
      remote: remote.sources,
      ...timeOf(progress),
      signal: session.signal,
    });
    const key = cacheKey('content', { about: contentOf(about), content: plan.contentDigest });
    const result = await progress.cached(key, step, report, () => layerOf(progress, plan));
    return { key, result };
  };
  if (quick === null) return make();
  const known = await progress.known(quick);
  if (known !== null) {
    report.cached();
    return { key: quick, result: known };
  }
  const made = await make();
  await progress.note(quick, step, made.result);
  return { key: quick, result: made.result };
}

/** True when it names paths: heredocs and URLs need no tree. */
export function readsTree({ sources }: Copy | Add): boolean {
  return sources.some((source) => transferSourceKind(source) === 'path');
}

/** WORKDIR makes the directory if it is missing, for the user of the stage. */
export async function directoryStep(
  progress: StageProgress,
  step: Step,
  { path }: Workdir,
  report: StepReport,
): Promise<{ result: StepResult; key: string }> {
  const { draft, chain } = progress;
  const absolute = posix.resolve('/', draft.workingDirectory, path);
  const key = cacheKey('workdir', { root: chain.identity, path: absolute, user: draft.user });
  const result = await progress.cached(key, step, report, async () => {
    const plan = await planDirectory(chain.tree, absolute, draft.user, timeOf(progress));
    return plan === null ? null : layerOf(progress, plan);
  });
  return { result, key };
}

async function layerOf({ session }: StageProgress, plan: LayerPlan): Promise<BuiltLayer | null> {
  const { layout, lease, signal, epoch, listings } = session;
  const write = (sink: Writable): Promise<void> => plan.write(sink, { maxMtime: epoch, signal });
  const layer = await storeLayer(layout, lease, write, signal);
  if (layer !== null && plan.listing !== null) listings.set(layer.diffId, plan.listing);
  return layer;
}

function timeOf({ session: { epoch } }: StageProgress): { time?: number } {
  return epoch === null ? {} : { time: epoch };
}

/** What the instruction says, besides where it stands. */
function flagsOf(instruction: Copy | Add): Record<string, KeyPart> {
  const { kind, sources, destination, chown, chmod, link, exclude, files } = instruction;
  const common = {
    kind,
    sources,
    destination,
    chown,
    chmod,
    link,
    exclude,
    files: files.map(({ name, content }) => [name, content]),
  };
  if (instruction.kind === 'copy') return { ...common, parents: instruction.parents };
  const { checksum, keepGitDirectory, unpack } = instruction;
  return { ...common, checksum, keepGit: keepGitDirectory ?? null, unpack: unpack ?? null };
}

/** Of content that was looked at it does not matter how it was named. */
function contentOf(about: Record<string, KeyPart>): KeyPart {
  const { sources: _named, files: _written, ...rest } = about;
  return rest;
}
