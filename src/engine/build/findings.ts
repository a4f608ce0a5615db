/** What BuildKit's checks say of a Dockerfile, with what is known of the images that it names. */
import { DockerfileError } from '../../build/dockerfile/error.ts';
import { parseDockerfile } from '../../build/dockerfile/parse-dockerfile.ts';
import { type PlanOptions, resolveStages } from '../../build/dockerfile/plan/resolve-stages.ts';
import type { BuildPlan } from '../../build/dockerfile/plan/types.ts';
import { lintDockerfile, type LintResult } from '../../build/lint/lint-dockerfile.ts';
import type { LintImage, LintImages } from '../../build/lint/stages-linter.ts';
import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import { documentsOf } from '../image-documents.ts';
import { requireImage } from '../images.ts';
import type { Engine } from '../types.ts';

export interface FindingsOptions extends Omit<PlanOptions, 'triggers'> {
  /** Of the context. */
  ignorePatterns: readonly string[];
}

/** @param options `every`: stages that the target does not need as well */
export async function findingsIn(
  engine: Engine,
  text: string,
  options: FindingsOptions,
): Promise<LintResult> {
  const images = await imagesOfStages(engine, text, options);
  return lintDockerfile(text, { ...options, images, every: options.every === true });
}

/** The images of the store that stages begin with, as far as the Dockerfile can be understood; others are unknown. */
export async function imagesOfStages(
  engine: Engine,
  text: string,
  options: Omit<PlanOptions, 'triggers'>,
): Promise<LintImages> {
  const known = new Map<string, LintImage | undefined>();
  const images = (reference: string): LintImage | undefined => known.get(reference);
  for (;;) {
    const missing = basesOf(planOf(text, options, images)).filter((reference) => !known.has(reference));
    if (missing.length === 0) return images;
    // Triggers of an image may ask for further ones.
    for (const reference of missing) known.set(reference, await imageOf(engine, reference));
  }
}

function planOf(
  text: string,
  options: Omit<PlanOptions, 'triggers'>,
  images: LintImages,
): BuildPlan | undefined {
  try {
    const triggers = (reference: string): readonly string[] => images(reference)?.triggers ?? [];
    return resolveStages(parseDockerfile(text), { ...options, triggers });
  } catch (error) {
    // The findings tell of it.
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}

function basesOf(plan: BuildPlan | undefined): string[] {
  const bases = plan?.stages.map(({ base }) => (base.kind === 'image' ? base.reference : '')) ?? [];
  return [...new Set(bases)].filter((reference) => reference !== '');
}

async function imageOf(engine: Engine, reference: string): Promise<LintImage | undefined> {
  try {
    const image = await requireImage(engine, reference);
    const { Shell: shell, OnBuild: triggers } = objectOr(documentsOf(engine, image).config['config']);
    const { env, os, architecture, variant } = image.config;
    return {
      environment: env,
      shell: Array.isArray(shell) && shell.length > 0,
      triggers: Array.isArray(triggers) ? triggers.filter((each) => typeof each === 'string') : [],
      platform: { os, architecture, variant },
    };
  } catch (error) {
    if (error instanceof A3sError) return undefined;
    throw error;
  }
}
