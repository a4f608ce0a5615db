/** Every instruction of a plan with its variables put in, before anything is built: what is wrong in the last line is told first. Pure. */
import { StageEvaluator } from '../dockerfile/evaluate/stage-evaluator.ts';
import { StageVariables } from '../dockerfile/evaluate/stage-variables.ts';
import { stepText } from '../dockerfile/evaluate/step-text.ts';
import type { Instruction } from '../dockerfile/instructions/types.ts';
import type { BuildPlan, PlannedInstruction, PlannedStage, Source } from '../dockerfile/plan/types.ts';

/** An instruction that is ready to be done. */
export interface Step extends PlannedInstruction {
  /** Evaluated. */
  instruction: Instruction;
  /** As progress shows it. */
  text: string;
  /** What a RUN finds in its environment. */
  environment: ReadonlyMap<string, string>;
  /** ARGs with their values, for the history. */
  declared: readonly (readonly [string, string])[];
}

/** Environment, `NAME=value` each, that the root of a stage brings along when that is no other stage. */
export type EnvironmentOf = (
  base: Exclude<Source, { kind: 'stage' }>,
  stage: PlannedStage,
) => readonly string[];

/**
 * The steps of each stage, by the stage's index.
 * @throws DockerfileError with the instruction's lines.
 */
export function evaluateStages(plan: BuildPlan, environmentOf: EnvironmentOf): Map<number, Step[]> {
  const ends = new Map<number, StageVariables>();
  const steps = new Map<number, Step[]>();
  for (const stage of plan.stages) {
    const { base } = stage;
    const variables =
      (base.kind === 'stage' ? ends.get(base.index)?.inherit() : undefined) ??
      StageVariables.ofImage(base.kind === 'stage' ? [] : environmentOf(base, stage));
    const evaluator = new StageEvaluator(plan, variables);
    steps.set(
      stage.index,
      stage.instructions.map((planned) => {
        const text = stepText(planned.instruction, variables, plan.escape);
        const instruction = evaluator.evaluate(planned.instruction);
        return {
          ...planned,
          instruction,
          text,
          environment: instruction.kind === 'run' ? new Map(variables.environment) : new Map(),
          declared: instruction.kind === 'run' ? variables.declared : [],
        };
      }),
    );
    ends.set(stage.index, variables);
  }
  return steps;
}
