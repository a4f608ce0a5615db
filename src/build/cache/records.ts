/** Entries of the build cache as `builder prune`, `builder du` and `system df` list them, in BuildKit's terms (client.UsageInfo). */
import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { type Descriptor, parseManifest } from '../../images/config.ts';
import { storeLock } from '../../images/image.ts';
import { cachedSteps } from '../../images/store/cached.ts';
import { hasBlob } from '../../images/store/ingest.ts';
import { leasedDigests } from '../../images/store/leases.ts';
import { blobPath, readIndex, readJsonBlob } from '../../images/store.ts';
import { buildCachePaths, type Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { claims, mountLastUse, mountNames, readMount } from './mount-files.ts';
import { lastUse, readStep, type Step } from './step-file.ts';

export type CacheRecordType = 'regular' | 'exec.cachemount';

export interface CacheRecord {
  /** 25 characters, as BuildKit's. */
  id: string;
  type: CacheRecordType;
  /** `[build 2/3] RUN make`; empty for none. */
  description: string;
  /** IDs of the records that it was made on. */
  parents: string[];
  /** Milliseconds since 1970. */
  createdAt: number;
  lastUsedAt: number;
  usageCount: number;
  /** A build that runs has it. */
  inUse: boolean;
  /** An image has the same layer: removing the record frees nothing. */
  shared: boolean;
  /** A cache mount: its content changes. */
  mutable: boolean;
  /** Bytes on the disk. Of records with the same layer the one that was used last counts it. */
  size: number;
  /** The step's hash or the mount's name: what it is called on the disk. */
  name: string;
}

const LOCK_TIMEOUT_MS = 600_000;
const ID_LENGTH = 25;
const BLOCK = 512;

/** What the images of the store have. */
export interface ImageContents {
  /** Configurations: the images' IDs. */
  ids: Set<string>;
  layers: Set<string>;
}

/** All records, the one that was used longest ago first. */
export async function cacheRecords(layout: Layout): Promise<CacheRecord[]> {
  const steps = await withLock(
    storeLock(layout),
    () => stepRecords(layout, leasedDigests(layout), imageContents(layout, readIndex(layout.imagesDir))),
    { timeoutMs: LOCK_TIMEOUT_MS },
  );
  return [...steps, ...(await mountRecords(layout))].toSorted(byLastUse);
}

/** Call it under the store's lock. @param leased layers that running builds use. */
export function stepRecords(
  layout: Layout,
  leased: ReadonlySet<string>,
  { layers }: ImageContents,
): CacheRecord[] {
  const steps = new Map<string, { step: Step; used: number }>();
  for (const name of cachedSteps(layout)) {
    const step = readStep(layout, name);
    const used = lastUse(layout, name);
    if (step === null || used === null) continue;
    const { layer } = step;
    if (layer === null || hasBlob(layout, layer.digest, layer.size)) steps.set(name, { step, used });
  }
  const counted = new Set<string>();
  const newestFirst = [...steps].toSorted(([, a], [, b]) => b.used - a.used);
  return newestFirst.map(([name, { step, used }]) => {
    const { layer, parent, description, created, uses } = step;
    const isCounted = layer === null || counted.has(layer.digest);
    if (layer !== null) counted.add(layer.digest);
    return {
      id: recordId(name),
      type: 'regular',
      description,
      parents: parent !== null && steps.has(parent) ? [recordId(parent)] : [],
      createdAt: Date.parse(created),
      lastUsedAt: used,
      usageCount: uses,
      inUse: layer !== null && leased.has(layer.digest),
      shared: isShared(name, steps, layers),
      mutable: false,
      size: isCounted ? 0 : bytesOf(blobPath(layout.imagesDir, layer.digest)),
      name,
    };
  });
}

/** A step without a layer goes with the one below it. */
function isShared(
  name: string,
  steps: ReadonlyMap<string, { step: Step }>,
  layers: ReadonlySet<string>,
): boolean {
  const seen = new Set<string>();
  for (let at: string | null = name; at !== null && !seen.has(at);) {
    seen.add(at);
    const step: Step | undefined = steps.get(at)?.step;
    if (step === undefined) return false;
    if (step.layer !== null) return layers.has(step.layer.digest);
    at = step.parent;
  }
  return false;
}

/** Cache mounts. Their trees are walked. */
export async function mountRecords(layout: Layout): Promise<CacheRecord[]> {
  const { mounts } = buildCachePaths(layout);
  const records: CacheRecord[] = [];
  for (const name of mountNames(mounts)) {
    const notes = readMount(mounts, name);
    if (notes === null) continue;
    records.push({
      id: recordId(name),
      type: 'exec.cachemount',
      description: notes.description,
      parents: [],
      createdAt: Date.parse(notes.created),
      lastUsedAt: mountLastUse(mounts, name),
      usageCount: notes.uses,
      inUse: claims(mounts, name).length > 0,
      shared: false,
      mutable: true,
      size: await treeBytes(join(mounts, name)),
      name,
    });
  }
  return records;
}

/** What the images have; of a damaged one what can still be told. */
export function imageContents(layout: Layout, index: readonly Descriptor[]): ImageContents {
  const contents: ImageContents = { ids: new Set(), layers: new Set() };
  for (const entry of index) {
    try {
      const { config, layers } = parseManifest(readJsonBlob(layout.imagesDir, entry));
      contents.ids.add(config.digest);
      for (const { digest } of layers) contents.layers.add(digest);
    } catch {
      // Whoever uses the image is told what is wrong with it.
    }
  }
  return contents;
}

export function byLastUse(a: CacheRecord, b: CacheRecord): number {
  return a.lastUsedAt - b.lastUsedAt || (a.id < b.id ? -1 : 1);
}

/** Lower-case letters and digits, as BuildKit's identities; the same record always has the same. */
export function recordId(name: string): string {
  const digest = createHash('sha256').update(name).digest('hex');
  return BigInt(`0x${digest}`).toString(36).padStart(50, '0').slice(-ID_LENGTH);
}

function bytesOf(file: string): number {
  return (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK;
}

/** Bytes that a tree takes; what goes away meanwhile, or may not be read, counts nothing. */
async function treeBytes(directory: string, seen = new Set<number>()): Promise<number> {
  let total = 0;
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) total += await treeBytes(path, seen);
    const stat = await lstat(path).catch(() => null);
    if (stat === null || (stat.nlink > 1 && !stat.isDirectory() && seen.has(stat.ino))) continue;
    seen.add(stat.ino);
    total += stat.blocks * BLOCK;
  }
  return total;
}
