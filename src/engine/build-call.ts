/** `build --call`: what there is to say of a Dockerfile without building it. */
import { blamedLines } from '../build/executor/blame.ts';
import { type BuildOutline, type BuildTarget, listTargets, outlineOf } from '../build/lint/describe.ts';
import type { LintResult } from '../build/lint/lint-dockerfile.ts';
import { A3sError } from '../errors.ts';
import { openDefinition } from './build/definition.ts';
import { findingsIn, imagesOfStages } from './build/findings.ts';
import { readInputs } from './build/inputs.ts';
import { BuildError, type BuildRequest, type BuildSource } from './build-types.ts';
import type { Engine } from './types.ts';

export type { BuildOutline, BuildTarget } from '../build/lint/describe.ts';
export type { LintResult } from '../build/lint/lint-dockerfile.ts';

export type CallMethod = 'lint' | 'outline' | 'targets';

export type BuildDescription = { dockerfile: Pick<BuildSource, 'file' | 'text'> } & (
  | { method: 'lint'; findings: LintResult }
  | { method: 'outline'; outline: BuildOutline }
  | { method: 'targets'; targets: BuildTarget[] }
);

/**
 * Opens the context and reads its Dockerfile; images are looked up in the store only.
 * @throws BuildError for a Dockerfile that cannot be understood, except by `lint`, which tells of that; A3sError as `buildImage`
 */
export async function describeBuild(
  engine: Engine,
  request: BuildRequest,
  method: CallMethod,
): Promise<BuildDescription> {
  await using inputs = await readInputs(engine, request, request.signal);
  await using context = await openDefinition(inputs);
  const text = context.dockerfile.text.toString('utf8');
  const dockerfile = { file: context.dockerfile.name, text };
  const { planOptions } = inputs;
  try {
    if (method === 'targets') return { method, dockerfile, targets: listTargets(text) };
    if (method === 'outline') {
      const images = await imagesOfStages(engine, text, planOptions);
      return { method, dockerfile, outline: outlineOf(text, { ...planOptions, images }) };
    }
    const { ignorePatterns } = context;
    const every = request.target === undefined;
    const findings = await findingsIn(engine, text, { ...planOptions, ignorePatterns, every });
    return { method, dockerfile, findings };
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    const lines = blamedLines(error);
    throw new BuildError(error.message, lines === undefined ? undefined : { ...dockerfile, lines }, {
      cause: error,
    });
  }
}
