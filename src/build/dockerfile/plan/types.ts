/** What has to be built, in which order, and what each part needs. */
import type { Platform } from '../../../images/platform.ts';
import type { From, Instruction } from '../instructions/types.ts';
import type { Escape } from '../syntax/tree.ts';
import type { BuildArguments } from './global-arguments.ts';

/** Where files come from. */
export type Source =
  /** Nothing. */
  | { kind: 'scratch' }
  /** A stage of the plan, by its index. */
  | { kind: 'stage'; index: number }
  /** An image, named as it is written. */
  | { kind: 'image'; reference: string }
  /** `--build-context`, by its name. */
  | { kind: 'context'; name: string };

export interface BuildPlan {
  /** The stages that the target needs, and the target, in the order of the file: each needs only ones before it. */
  stages: PlannedStage[];
  target: PlannedStage;
  escape: Escape;
  /** What ARGs of stages without a value get. */
  globals: ReadonlyMap<string, string>;
  buildArguments: BuildArguments;
}

export interface PlannedStage {
  /** Its number in the file, from 0. */
  index: number;
  /** What step lines call it: its name, or `stage-<number>`; empty when the file has one stage only. */
  label: string;
  from: From;
  base: Source;
  /** What `--platform` says, else what the build is for. */
  platform: Platform;
  /** Triggers of the base first. */
  instructions: PlannedInstruction[];
  /** Indices of the stages to be built before this one, in order; stages that do not need each other may run together. */
  needs: number[];
  /** Steps that step lines count: the base when it is an image, RUN, COPY, ADD, WORKDIR and triggers. */
  steps: number;
}

export interface PlannedInstruction {
  instruction: Instruction;
  /** From ONBUILD of the base. */
  trigger: boolean;
  /**
   * COPY: where `--from` points, if it is given. RUN: one for each `--mount`, undefined where it has no `from`.
   * Empty for others.
   */
  sources: (Source | undefined)[];
}
