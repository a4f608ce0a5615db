/** One stage of a build, from its base to its last instruction. */
import { posix } from 'node:path';

import type { StepResult } from '../cache/built-layer.ts';
import type { ImageStep } from '../cache/image-steps.ts';
import { DEFAULT_SHELL, runCommandLine, shellForm } from '../dockerfile/evaluate/command-line.ts';
import type { HistoryDetails } from '../dockerfile/evaluate/history.ts';
import { stepLine } from '../dockerfile/evaluate/step-text.ts';
import type { PlannedStage } from '../dockerfile/plan/types.ts';
import type { ImageDraft } from '../image/image-draft.ts';
import { blaming } from './blame.ts';
import type { Chain } from './chain.ts';
import type { Step } from './evaluate-stages.ts';
import { Machine } from './machine.ts';
import { foreseenCaches } from './mounts.ts';
import { runStep } from './run-step.ts';
import type { BuildSession } from './session.ts';
import { StageProgress } from './stage-progress.ts';
import type { StepReport } from './steps.ts';
import { directoryStep, readsTree, transferStep } from './transfer-step.ts';

/** A stage that is finished. */
export interface BuiltStage {
  draft: ImageDraft;
  chain: Chain;
  /** What it was made of since its base image. */
  steps: readonly ImageStep[];
}

/**
 * Builds a stage on its base, which is left as it is.
 * @param firstStep the number of its first step: its base may have been one
 * @throws DockerfileError, StepFailure; the signal's reason
 */
export async function buildStage(
  session: BuildSession,
  { stage, steps, firstStep }: { stage: PlannedStage; steps: readonly Step[]; firstStep: number },
  base: BuiltStage,
): Promise<BuiltStage> {
  const caches = () => foreseenCaches(session, stage, steps);
  await using machine = new Machine(session, base.chain.base, caches);
  const progress = new StageProgress(session, stage, { ...base, draft: base.draft.fork(), machine });
  let number = firstStep;
  for (const step of steps) {
    session.signal.throwIfAborted();
    const result = isStep(progress, step)
      ? await blaming(step.instruction.lines, () => doStep(progress, step, number++))
      : undefined;
    progress.draft.apply(step.instruction, detailsOf(progress, step), result);
  }
  const { draft, chain } = progress;
  return { draft, chain, steps: progress.steps };
}

/** Steps that progress shows and numbers. The root is there: to go to it makes nothing (BuildKit's dispatchWorkdir). */
function isStep(progress: StageProgress, { instruction }: Step): boolean {
  const { kind } = instruction;
  if (kind === 'workdir') return destinationOf(progress, instruction.path) !== '/';
  return kind === 'run' || kind === 'copy' || kind === 'add';
}

/** Where WORKDIR leads. */
function destinationOf({ draft }: StageProgress, path: string): string {
  return posix.resolve('/', draft.workingDirectory, path);
}

async function doStep(progress: StageProgress, step: Step, number: number): Promise<StepResult> {
  const { session, stage } = progress;
  // What the step reads is brought by steps of its own, which are told of before it.
  await readable(progress, step);
  const name = stepLine(stage, number, step.text, step.trigger);
  const { key, result } = await session.steps.run(name, session.signal, (report) =>
    outcomeOf(progress, step, report),
  );
  progress.advance(key, step, result);
  return result;
}

async function readable({ session, stage }: StageProgress, { instruction, sources }: Step): Promise<void> {
  if (instruction.kind === 'copy' || instruction.kind === 'add') {
    if (readsTree(instruction)) await session.sources.open(sources[0], stage);
  } else if (instruction.kind === 'run') {
    for (const [place, { type }] of instruction.mounts.entries()) {
      if (type === 'bind') await session.sources.open(sources[place], stage);
    }
  }
}

function outcomeOf(
  progress: StageProgress,
  step: Step,
  report: StepReport,
): Promise<{ result: StepResult; key: string }> {
  const { instruction } = step;
  switch (instruction.kind) {
    case 'run':
      return runStep(progress, step, instruction, report);
    case 'copy':
    case 'add':
      return transferStep(progress, step, instruction, report);
    case 'workdir':
      return directoryStep(progress, step, instruction, report);
    default:
      throw new Error(`${instruction.kind} is no step`);
  }
}

function detailsOf(progress: StageProgress, { instruction, declared }: Step): HistoryDetails {
  const path = instruction.kind === 'workdir' ? instruction.path : '';
  return {
    words: wordsOf(progress.draft, instruction),
    declared,
    workingDirectory: destinationOf(progress, path),
  };
}

function wordsOf(draft: ImageDraft, instruction: Step['instruction']): readonly string[] {
  const shell = draft.shell.length === 0 ? DEFAULT_SHELL : draft.shell;
  if (instruction.kind === 'run') return runCommandLine(instruction, shell).words;
  if (instruction.kind === 'cmd' || instruction.kind === 'entrypoint') return shellForm(instruction, shell);
  return [];
}
