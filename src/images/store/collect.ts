/** Garbage collection: removes what no image, and no running command, has a use for. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { namesIn } from '../../state/directory.ts';
import type { Layout } from '../../state/layout.ts';
import { type Descriptor, parseManifest } from '../config.ts';
import { deadBuilds } from '../rootfs-build.ts';
import { blobPath, readJsonBlob } from '../store.ts';
import { cachedDigests } from './cached.ts';
import { isDeadSpool, leasedDigests } from './leases.ts';

/** How long half a blob is kept for a download that goes on. */
const PARTIAL_KEPT_MS = 24 * 3600 * 1000;
const HEX = /^[0-9a-f]{64}$/;
/** A root filesystem and what is noted of it; `<hex>` is the image's ID. */
const ROOTFS = /^([0-9a-f]{64})\.(?:squashfs|json|json\.tmp)$/;

export interface Collected {
  /** Digests of the blobs that were removed. */
  blobs: string[];
  /** Bytes that were freed, root filesystems included. */
  bytes: number;
}

/**
 * Removes blobs and root filesystems that neither the index nor the build cache leads to. Call it under the store's lock, with the index
 * as it was written: whoever brings a blob holds a lease on it.
 */
export function collectGarbage(layout: Layout, entries: readonly Descriptor[]): Collected {
  const used = leasedDigests(layout);
  for (const digest of cachedDigests(layout)) used.add(digest);
  for (const entry of entries) markUsed(layout, entry, used);
  const collected: Collected = { blobs: [], bytes: 0 };
  const blobs = blobPath(layout.imagesDir, 'sha256:');
  for (const hex of namesIn(blobs)) {
    const digest = `sha256:${hex}`;
    // Copies are made under this lock: nobody is at work on one.
    if (hex.endsWith('.tmp')) collected.bytes += remove(join(blobs, hex));
    if (!HEX.test(hex) || used.has(digest)) continue;
    collected.bytes += remove(join(blobs, hex));
    collected.blobs.push(digest);
  }
  for (const left of deadBuilds(layout)) collected.bytes += remove(left);
  for (const name of namesIn(layout.rootfsDir)) {
    const [, hex] = ROOTFS.exec(name) ?? [];
    if (hex !== undefined && !used.has(`sha256:${hex}`))
      collected.bytes += remove(join(layout.rootfsDir, name));
  }
  for (const name of namesIn(layout.ingestDir)) {
    const file = join(layout.ingestDir, name);
    if (isDeadSpool(name)) rmSync(file, { recursive: true, force: true });
    else if (HEX.test(name) && !used.has(`sha256:${name}`) && isOld(file)) collected.bytes += remove(file);
  }
  return collected;
}

/** A damaged image keeps what can still be told to be its own. */
function markUsed(layout: Layout, entry: Descriptor, used: Set<string>): void {
  used.add(entry.digest);
  try {
    const { config, layers } = parseManifest(readJsonBlob(layout.imagesDir, entry));
    for (const { digest } of [config, ...layers]) used.add(digest);
  } catch {
    // Whoever uses the image is told what is wrong with it.
  }
}

function isOld(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > PARTIAL_KEPT_MS;
}

function remove(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  rmSync(file, { force: true });
  // What it takes on the disk: holes cost nothing.
  return stat === undefined ? 0 : stat.blocks * 512;
}
