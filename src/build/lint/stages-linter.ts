/** Goes through the stages of a plan as a build would, without doing anything. */
import { type Platform, platformString } from '../../images/platform.ts';
import { DockerfileError, type Lines } from '../dockerfile/error.ts';
import { StageEvaluator } from '../dockerfile/evaluate/stage-evaluator.ts';
import { StageVariables } from '../dockerfile/evaluate/stage-variables.ts';
import type { BuildPlan, PlannedInstruction, PlannedStage } from '../dockerfile/plan/types.ts';
import { nearest } from '../dockerfile/suggest.ts';
import { expand } from '../dockerfile/words/expand.ts';
import type { Findings } from './findings.ts';
import { messages } from './rules.ts';
import { lintPorts, StageRules, type StageState } from './stage-rules.ts';

/** What rules want to know of an image. */
export interface LintImage {
  /** `NAME=value`. */
  environment: readonly string[];
  /** The image has a shell of its own. */
  shell: boolean;
  /** Its ONBUILD. */
  triggers: readonly string[];
  platform: Platform;
}

/** Undefined for an image that is not here: what depends on it is not judged. */
export type LintImages = (reference: string) => LintImage | undefined;

/** More findings of one kind than anybody reads. */
const UNSET_MAX = 1000;
/** Those for which a name that is meant is looked for, which takes as long as there are variables. */
const HINTS_MAX = 100;

interface LintedStage extends StageState {
  variables: StageVariables;
  /** False on an image that is not here: its variables are not known. */
  known: boolean;
}

export class StagesLinter {
  readonly #plan: BuildPlan;
  readonly #options: { ignorePatterns: readonly string[]; images: LintImages };
  readonly #below: (line: number) => Findings;
  readonly #stages = new Map<number, LintedStage>();
  #unsetVariables = 0;

  /** @param below takes findings about the instruction at a line */
  constructor(
    plan: BuildPlan,
    options: { ignorePatterns: readonly string[]; images: LintImages },
    below: (line: number) => Findings,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#below = below;
  }

  /** @throws DockerfileError */
  lintAll(): void {
    for (const stage of this.#plan.stages) {
      const state = this.#begin(stage);
      this.#stages.set(stage.index, state);
      try {
        this.#lintStage(stage, state);
      } catch (error) {
        // It may be the image that would make it right.
        if (state.known || !(error instanceof DockerfileError)) throw error;
      }
    }
  }

  #begin(stage: PlannedStage): LintedStage {
    const { base } = stage;
    if (base.kind === 'stage') {
      const below = this.#stages.get(base.index);
      if (below !== undefined) return { ...below, variables: below.variables.inherit() };
    }
    const image = base.kind === 'image' ? this.#options.images(base.reference) : undefined;
    if (image !== undefined) this.#platform(stage, image.platform);
    return {
      variables: StageVariables.ofImage(image?.environment ?? []),
      known: image !== undefined || base.kind === 'scratch',
      shell: image?.shell ?? false,
      workdir: false,
    };
  }

  #platform({ from, platform, base }: PlannedStage, actual: Platform): void {
    if (actual.os === platform.os && actual.architecture === platform.architecture) return;
    const name = base.kind === 'image' ? base.reference : from.base;
    const message = messages.imagePlatform(name, platformString(actual), platformString(platform));
    this.#below(0).add('InvalidBaseImagePlatform', message, from.lines);
  }

  #lintStage(stage: PlannedStage, state: LintedStage): void {
    const rules = new StageRules(state, this.#options.ignorePatterns);
    let unset: (names: ReadonlySet<string>) => void = () => {};
    const evaluator = new StageEvaluator(this.#plan, state.variables, (names) => unset(names));
    for (const planned of stage.instructions) {
      const findings = this.#findingsFor(planned);
      const { instruction } = planned;
      unset = (names) => {
        if (state.known) this.#lintUnset(names, state.variables, instruction.lines, findings);
      };
      if (instruction.kind === 'expose') {
        const { escape } = this.#plan;
        const ports = instruction.ports.flatMap((port) => expand(port, state.variables, { escape }).words);
        lintPorts(ports, instruction.lines, findings);
      }
      rules.lint(evaluator.evaluate(instruction), findings);
    }
  }

  /** Comments above FROM are not about the triggers of its image. */
  #findingsFor({ instruction, trigger }: PlannedInstruction): Findings {
    return this.#below(trigger ? 0 : instruction.lines.first);
  }

  #lintUnset(names: ReadonlySet<string>, variables: StageVariables, lines: Lines, findings: Findings): void {
    if (this.#unsetVariables > UNSET_MAX) return;
    const declared = new Set(variables.declared.map(([name]) => name));
    for (const name of names) {
      if (declared.has(name)) continue;
      this.#unsetVariables++;
      const hinted = this.#unsetVariables <= HINTS_MAX;
      const near = hinted ? nearest(name, [...variables.environment.keys()]) : undefined;
      findings.add('UndefinedVar', messages.undefinedVar(name, near), lines);
    }
  }
}
