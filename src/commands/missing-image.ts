/** What `run` and `create` do about an image that is not there, or may be old. */
import { familiarImage } from '../engine/images.ts';
import type { Engine } from '../engine/types.ts';
import { A3sError } from '../errors.ts';
import type { CommandContext } from './command.ts';

export interface ImagePolicy {
  image: string;
  /** `always`, `missing` or `never`; empty is `missing`. */
  pull: string;
  quiet: boolean;
  platform: string | undefined;
}

/**
 * Does the work on the image, and once more after a pull when it is missing. Progress of the pull goes to stderr.
 * @throws A3sError what the pull or the work throws
 */
export async function withImage<T>(
  context: CommandContext,
  policy: ImagePolicy,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await context.engine();
  if (policy.pull === 'always') await pullFor(context, engine, policy);
  try {
    return await work(engine);
  } catch (error) {
    const isMissing = error instanceof A3sError && error.code === 'no_such_image';
    if (!isMissing || policy.pull === 'never' || policy.pull === 'always') throw error;
  }
  if (!policy.quiet) context.warn(`Unable to find image '${familiarImage(policy.image)}' locally`);
  await pullFor(context, engine, policy);
  // What was prepared for the first attempt ended with it.
  const { reserved: _spent, ...fresh } = engine;
  return work(fresh);
}

async function pullFor(context: CommandContext, engine: Engine, policy: ImagePolicy): Promise<void> {
  const { pull } = await import('../engine/pull.ts');
  const { noProgress, progressOn } = await import('../output/progress.ts');
  const progress = policy.quiet ? noProgress : progressOn(context.stderr);
  try {
    await pull(engine, familiarImage(policy.image), {
      progress,
      ...(policy.platform === undefined ? {} : { platform: policy.platform }),
    });
  } finally {
    progress.end();
  }
}
