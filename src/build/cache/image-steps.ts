/**
 * Which steps an image was made of, for `--cache-from`. What is known of an image built here lies beside the cache and outlives `builder
 * prune`; an inline cache is in the image's configuration and goes where the image goes.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { type Descriptor, parseManifest } from '../../images/config.ts';
import { readIndex, readJsonBlob } from '../../images/store.ts';
import { isObject } from '../../json.ts';
import { namesIn } from '../../state/directory.ts';
import { buildCachePaths, type Layout } from '../../state/layout.ts';
import type { StepResult } from './built-layer.ts';
import { hashOf, parseStep, type Step, writeWhole } from './step-file.ts';

/** The member of a configuration that holds an inline cache. */
export const INLINE_MEMBER = 'dev.a3s.build-cache.v1';
/** Steps of one image; more are an attack, or an error. */
const MAX_STEPS = 10_000;

/** A step as an image tells it. */
export interface ImageStep {
  /** As `BuildCache` knows it. */
  key: string;
  result: StepResult;
  description: string;
}

/** What goes into a configuration, or a file beside the cache. */
export function stepsDocument(steps: readonly ImageStep[]) {
  return steps.map(({ key, result, description }, n) => {
    const below = n === 0 ? null : hashOf(steps[n - 1]?.key ?? '');
    const layer = result.layer === null ? null : { ...result.layer };
    const { created } = result;
    return { key: hashOf(key), version: 1, layer, created, description, parent: below, uses: 0 };
  });
}

/** Notes the steps of an image built here. */
export function keepImageSteps(layout: Layout, imageId: string, steps: readonly ImageStep[]): void {
  writeWhole(stepsFile(layout, imageId), JSON.stringify(stepsDocument(steps)));
}

/**
 * Those known of the image with this ID. What is not sound counts as unknown, and so does a layer that the image does not have: it would
 * let an image from elsewhere give this store's blobs other names.
 */
export function stepsOfImage(layout: Layout, imageId: string): { hash: string; step: Step }[] {
  for (const entry of readIndex(layout.imagesDir)) {
    const { config, layers } = parseManifest(readJsonBlob(layout.imagesDir, entry));
    if (config.digest !== imageId) continue;
    const noted = parseSteps(readNoted(layout, imageId));
    const steps = noted.length > 0 ? noted : parseSteps(readInline(layout, config));
    const own = new Set(layers.map(({ digest }) => digest));
    return steps.filter(({ step: { layer } }) => layer === null || own.has(layer.digest));
  }
  return [];
}

/** Forgets the steps of images that are gone. @param images IDs of those that are there. */
export function dropImageSteps(layout: Layout, images: ReadonlySet<string>): void {
  const directory = buildCachePaths(layout).images;
  for (const name of namesIn(directory)) {
    if (!images.has(`sha256:${name.replace(/\.json$/, '')}`)) rmSync(join(directory, name), { force: true });
  }
}

function readNoted(layout: Layout, imageId: string): unknown {
  try {
    return JSON.parse(readFileSync(stepsFile(layout, imageId), 'utf8'));
  } catch {
    return undefined;
  }
}

function readInline(layout: Layout, config: Descriptor): unknown {
  const document = readJsonBlob(layout.imagesDir, config);
  return isObject(document) ? document[INLINE_MEMBER] : undefined;
}

function parseSteps(value: unknown): { hash: string; step: Step }[] {
  if (!Array.isArray(value) || value.length > MAX_STEPS) return [];
  return value.flatMap((item: unknown) => {
    const hash = isObject(item) ? item['key'] : undefined;
    const step = parseStep(item);
    return typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) && step !== null ? [{ hash, step }] : [];
  });
}

function stepsFile(layout: Layout, imageId: string): string {
  return join(buildCachePaths(layout).images, `${imageId.replace(/^sha256:/, '')}.json`);
}
