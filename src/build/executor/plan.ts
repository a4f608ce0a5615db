/** The plan of a build, with the images that it rests on: their triggers may ask for further ones. */
import type { Image } from '../../images/image.ts';
import { type Platform, platformString } from '../../images/platform.ts';
import type { Dockerfile } from '../dockerfile/parse-dockerfile.ts';
import { type PlanOptions, resolveStages } from '../dockerfile/plan/resolve-stages.ts';
import type { BuildPlan } from '../dockerfile/plan/types.ts';

/** An image of a plan, with what its configuration holds back for whoever builds on it. */
export interface BaseImage {
  image: Image;
  onBuild: readonly string[];
}

/** Brings the image that a Dockerfile names, for a platform. Asked once for each pair. */
export type LoadImage = (reference: string, platform: Platform) => Promise<BaseImage>;

export interface PlannedBuild {
  plan: BuildPlan;
  /** @throws Error for an image that is not in the plan. */
  imageOf: (reference: string, platform: Platform) => Image;
}

interface Wanted {
  reference: string;
  platform: Platform;
}

/**
 * Plans the build and brings its images, several at a time.
 * @throws DockerfileError, and what `load` throws.
 */
export async function planBuild(
  dockerfile: Dockerfile,
  options: Omit<PlanOptions, 'triggers'>,
  load: LoadImage,
): Promise<PlannedBuild> {
  const known = new Map<string, BaseImage>();
  const triggers = new Map<string, readonly string[]>();
  for (;;) {
    const plan = resolveStages(dockerfile, {
      ...options,
      triggers: (reference) => triggers.get(reference) ?? [],
    });
    const missing = new Map(
      imagesOf(plan)
        .map((wanted) => [keyOf(wanted), wanted] as const)
        .filter(([key]) => !known.has(key)),
    );
    if (missing.size === 0) {
      return { plan, imageOf: (reference, platform) => found(known, { reference, platform }) };
    }
    const loaded = [...missing].map(async ([key, { reference, platform }]) => {
      const base = await load(reference, platform);
      known.set(key, base);
      triggers.set(reference, base.onBuild);
    });
    await Promise.all(loaded);
  }
}

function found(known: ReadonlyMap<string, BaseImage>, wanted: Wanted): Image {
  const base = known.get(keyOf(wanted));
  if (base === undefined) throw new Error(`${wanted.reference} is not in the plan`);
  return base.image;
}

function keyOf({ reference, platform }: Wanted): string {
  return `${reference} ${platformString(platform)}`;
}

/** Every image that a stage of the plan begins with, copies from or mounts. */
function imagesOf({ stages }: BuildPlan): Wanted[] {
  return stages.flatMap(({ base, platform, instructions }) =>
    [base, ...instructions.flatMap(({ sources }) => sources)].flatMap((source) =>
      source?.kind === 'image' ? [{ reference: source.reference, platform }] : [],
    ),
  );
}
