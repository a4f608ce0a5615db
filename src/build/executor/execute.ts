/** All stages of a plan, each as soon as those that it needs are finished. */
import type { BuildPlan, PlannedStage } from '../dockerfile/plan/types.ts';
import { blaming } from './blame.ts';
import type { Step } from './evaluate-stages.ts';
import { type BuiltStage, buildStage } from './stage.ts';
import type { BuildSession } from './session.ts';

/** Brings what a stage begins with when that is no other stage; tells of the step that it is. */
export type OpenBase = (stage: PlannedStage) => Promise<BuiltStage>;

/** Results of stages, to be waited for. */
export class StageResults {
  readonly #results = new Map<number, PromiseWithResolvers<BuiltStage>>();

  constructor(plan: BuildPlan) {
    for (const { index } of plan.stages) {
      const result = Promise.withResolvers<BuiltStage>();
      // A stage that nobody waits for tells of its failure itself.
      result.promise.catch(() => {});
      this.#results.set(index, result);
    }
  }

  of(index: number): Promise<BuiltStage> {
    const result = this.#results.get(index);
    return result === undefined
      ? Promise.reject(new Error(`stage ${index} is not in the plan`))
      : result.promise;
  }

  settle(index: number, built: Promise<BuiltStage>): void {
    this.#results.get(index)?.resolve(built);
  }
}

/**
 * Builds the stages; those that do not need each other run at the same time.
 * @param fail called with the first failure: the others are to be given up
 * @throws the first failure, once everything has ended
 */
export async function executePlan(
  session: BuildSession,
  {
    plan,
    steps,
    results,
  }: { plan: BuildPlan; steps: ReadonlyMap<number, readonly Step[]>; results: StageResults },
  openBase: OpenBase,
  fail: (error: unknown) => void,
): Promise<BuiltStage> {
  let failure: { error: unknown } | undefined;
  const one = async (stage: PlannedStage): Promise<BuiltStage> => {
    await Promise.all(stage.needs.map((index) => results.of(index)));
    session.signal.throwIfAborted();
    const isStep = stage.base.kind === 'image' || stage.base.kind === 'context';
    const base = await blaming(stage.from.lines, () =>
      stage.base.kind === 'stage' ? results.of(stage.base.index) : openBase(stage),
    );
    const own = steps.get(stage.index) ?? [];
    return buildStage(session, { stage, steps: own, firstStep: isStep ? 2 : 1 }, base);
  };
  const running = plan.stages.map((stage) => {
    const built = one(stage);
    results.settle(stage.index, built);
    return built.catch((error: unknown) => {
      failure ??= { error };
      fail(failure.error);
    });
  });
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
  return results.of(plan.target.index);
}
