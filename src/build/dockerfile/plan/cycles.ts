/** Stages that copy from each other in a circle. */
import { DockerfileError } from '../error.ts';
import type { PlannedStage } from './types.ts';

interface Visit {
  stage: PlannedStage;
  /** Stages it copies or mounts from that are still to be looked at. */
  rest: number[];
}

/**
 * Without recursion, because a file may have as many stages as lines.
 * @throws DockerfileError naming the stage from which the circle is reached.
 */
export function checkForCycles(stages: readonly PlannedStage[]): void {
  const done = new Set<number>();
  for (const start of stages) {
    const path: Visit[] = [];
    const onPath = new Set<number>();
    const enter = (stage: PlannedStage): void => {
      done.add(stage.index);
      onPath.add(stage.index);
      path.push({ stage, rest: sourcesOf(stage) });
    };
    if (!done.has(start.index)) enter(start);
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const index = visit.rest.pop();
      if (index === undefined) {
        onPath.delete(visit.stage.index);
        path.pop();
        continue;
      }
      if (onPath.has(index)) {
        throw new DockerfileError(
          `circular dependency detected on stage: ${start.label}`,
          linesOf(visit.stage, index),
        );
      }
      const next = stages[index];
      if (next !== undefined && !done.has(index)) enter(next);
    }
  }
}

function sourcesOf(stage: PlannedStage): number[] {
  return stage.instructions.flatMap(({ sources }) =>
    sources.flatMap((source) => (source?.kind === 'stage' ? [source.index] : [])),
  );
}

function linesOf(stage: PlannedStage, index: number): PlannedStage['from']['lines'] {
  const guilty = stage.instructions.find(({ sources }) =>
    sources.some((source) => source?.kind === 'stage' && source.index === index),
  );
  return guilty?.instruction.lines ?? stage.from.lines;
}
