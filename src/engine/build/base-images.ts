/** The images that a build rests on: found in the store or pulled, and what a stage on one begins with. */
import { Chain, baseOfImage } from '../../build/executor/chain.ts';
import type { LoadImage } from '../../build/executor/plan.ts';
import type { BuiltStage } from '../../build/executor/stage.ts';
import type { StepReport, Steps } from '../../build/executor/steps.ts';
import { ImageDraft } from '../../build/image/image-draft.ts';
import { A3sError } from '../../errors.ts';
import type { Image } from '../../images/image.ts';
import { hostPlatform, type Platform, platformString } from '../../images/platform.ts';
import { canonicalTag, parseReference } from '../../images/reference.ts';
import { ensureRootfs, layerSizes } from '../../images/rootfs.ts';
import type { Lease } from '../../images/store/leases.ts';
import { documentsOf } from '../image-documents.ts';
import { checkPlatform, requireImage } from '../images.ts';
import { pull } from '../pull.ts';
import type { Engine } from '../types.ts';

export interface BaseImageOptions {
  lease: Lease;
  steps: Steps;
  /** Pull even what is there. */
  pull: boolean;
  /** `--platform` was given. Otherwise what the store has for another platform than this host's is taken, with a warning. */
  platformAsked: boolean;
  signal: AbortSignal;
}

/** Brings an image as a step of its own, and keeps its blobs there as long as the lease lives. */
export function imageLoader(engine: Engine, options: BaseImageOptions): LoadImage {
  const { lease, steps, signal } = options;
  return (reference, platform) =>
    steps.run(`[internal] load metadata for ${wholeName(reference)}`, signal, async (report) => {
      const image = await bring(engine, { reference, platform, report }, options);
      await lease.hold([image.digest, image.id, ...image.layers.map(({ digest }) => digest)]);
      return { image, onBuild: image.config.onBuild };
    });
}

interface Wanted {
  reference: string;
  platform: Platform;
  report: StepReport;
}

async function bring(engine: Engine, wanted: Wanted, options: BaseImageOptions): Promise<Image> {
  const { reference } = wanted;
  if (options.pull) await pullFor(engine, wanted, options);
  try {
    return await checked(engine, wanted, options);
  } catch (error) {
    if (!(error instanceof A3sError) || error.code !== 'no_such_image' || options.pull) throw error;
  }
  await pullFor(engine, wanted, options);
  return requireImage(engine, reference);
}

async function checked(
  engine: Engine,
  { reference, platform }: Wanted,
  options: BaseImageOptions,
): Promise<Image> {
  const image = await requireImage(engine, reference);
  // A stage may ask for one itself.
  const asked = platformString(platform);
  const isAsked = options.platformAsked || asked !== platformString(hostPlatform());
  checkPlatform(engine, image, isAsked ? asked : undefined);
  return image;
}

async function pullFor(
  engine: Engine,
  { reference, platform, report }: Wanted,
  { signal }: BaseImageOptions,
): Promise<void> {
  try {
    await pull(engine, reference, {
      platform: platformString(platform),
      signal,
      progress: {
        line: () => {},
        layer: (id, status, bytes) => {
          const label = `sha256:${id}`;
          if (status === 'Pull complete' || status === 'Already exists') report.finished(label, bytes?.done);
          else report.progress(label, bytes?.done ?? 0, bytes?.total);
        },
      },
    });
  } catch (cause) {
    if (!(cause instanceof A3sError)) throw cause;
    throw new A3sError(
      cause.code,
      `${reference}: failed to resolve source metadata for ${wholeName(reference)}: ${cause.message}`,
      {
        cause,
        ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      },
    );
  }
}

/** What a stage on this image begins with. */
export async function stageOnImage(
  engine: Engine,
  reference: string,
  image: Image,
  epoch: number | null,
): Promise<BuiltStage> {
  const { layout } = engine;
  const rootfs = await ensureRootfs(layout, image, engine.bundleDir);
  const sizes = layerSizes(layout, image);
  const layers = image.layers.map(({ mediaType, digest, size, diffId }, n) => ({
    mediaType,
    digest,
    size,
    diffId,
    contentBytes: sizes[n] ?? size,
  }));
  return {
    draft: ImageDraft.ofImage(documentsOf(engine, image).config, layers, { epoch }),
    chain: Chain.on(baseOfImage(reference, image, rootfs)),
    steps: [],
  };
}

/** As BuildKit names an image: with registry and tag or digest. */
export function wholeName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return canonicalTag(reference);
  return `${reference.domain}/${reference.path}@${reference.digest}`;
}
