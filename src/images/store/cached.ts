/**
 * The steps of earlier builds, a small JSON file each: their layers are kept though no image may have them. They are written by
 * `src/build/cache/`, and read here for the garbage collection.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { isObject, objectOr } from '../../json.ts';
import { namesIn } from '../../state/directory.ts';
import { buildCachePaths, type Layout } from '../../state/layout.ts';
import { isDigest } from '../reference.ts';

const STEP = /^([0-9a-f]{64})\.json$/;

/** Hashes of the keys of all steps. */
export function cachedSteps(layout: Layout): string[] {
  return namesIn(buildCachePaths(layout).steps).flatMap((name) => STEP.exec(name)?.[1] ?? []);
}

/** The file of the step with this hash. */
export function stepFile(layout: Layout, hash: string): string {
  return join(buildCachePaths(layout).steps, `${hash}.json`);
}

/** What the file of a step holds; undefined when it is missing or no JSON, as a crash of the host may leave it. */
export function readStepJson(layout: Layout, hash: string): unknown {
  try {
    return JSON.parse(readFileSync(stepFile(layout, hash), 'utf8'));
  } catch {
    return undefined;
  }
}

/** The layers of all steps. */
export function cachedDigests(layout: Layout): Set<string> {
  const digests = new Set<string>();
  for (const hash of cachedSteps(layout)) {
    const step = readStepJson(layout, hash);
    const digest = isObject(step) ? objectOr(step['layer'])['digest'] : undefined;
    if (typeof digest === 'string' && isDigest(digest)) digests.add(digest);
  }
  return digests;
}
