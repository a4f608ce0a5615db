/** Errors of a step name the lines of its instruction. */
import { DockerfileError, type Lines } from '../dockerfile/error.ts';
import { StepFailure } from './failure.ts';

/** Does the work; an error about the Dockerfile that names no lines gets these. */
export async function blaming<T>(lines: Lines, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DockerfileError) || error.lines !== undefined) throw error;
    throw new DockerfileError(error.message, lines, error);
  }
}

/** The lines of a Dockerfile that an error is about; undefined when it is about none. */
export function blamedLines(error: unknown): Lines | undefined {
  const isAbout = error instanceof DockerfileError || error instanceof StepFailure;
  return isAbout ? error.lines : undefined;
}
