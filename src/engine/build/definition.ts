/** The context of a build with its Dockerfile. */
import { openBuildContext } from '../../build/context/open-context.ts';
import type { OpenedContext } from '../../build/context/types.ts';
import { DockerfileError } from '../../build/dockerfile/error.ts';
import { BuildError } from '../build-types.ts';
import type { BuildInputs } from './inputs.ts';

/** @throws BuildError for a context without the Dockerfile; A3sError for one that cannot be opened. */
export async function openDefinition({ contextRequest, remote }: BuildInputs): Promise<OpenedContext> {
  try {
    return await openBuildContext(contextRequest, remote);
  } catch (error) {
    if (error instanceof DockerfileError) {
      throw new BuildError(error.message, undefined, { cause: error });
    }
    throw error;
  }
}
