/** Root filesystems: the layers of an image as one squashfs, built once and checked by `stat` ever after. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { namesIn } from '../state/directory.ts';
import type { Layout } from '../state/layout.ts';
import { withLock } from '../state/lock.ts';
import { isObject } from '../json.ts';
import type { Image } from './image.ts';
import { isDigest } from './reference.ts';
import { blobPath } from './store.ts';

const BUILD_TIMEOUT_MS = 600_000;

export interface Rootfs {
  path: string;
  /** `sha256:…` of the squashfs itself: what a template built on it depends on. */
  digest: string;
}

/** What is noted beside a squashfs, so that a run need not read it to know that it is whole. */
export interface Sidecar {
  digest: string;
  /** State of the squashfs and of the image's small blobs, in this order, when their digests were last proved. */
  files: string[];
  /** Bytes of the files in each layer, lowest first; empty when an older version wrote it. */
  layerBytes: number[];
}

/** The files of the root filesystem of the image with this ID. */
export function rootfsPaths(
  layout: Layout,
  imageId: string,
): { squashfs: string; sidecar: string; lock: string } {
  const hex = imageId.replace(/^sha256:/, '');
  return {
    squashfs: join(layout.rootfsDir, `${hex}.squashfs`),
    sidecar: join(layout.rootfsDir, `${hex}.json`),
    lock: join(layout.locksDir, `rootfs-${hex.slice(0, 16)}.lock`),
  };
}

/**
 * The root filesystem of an image, built when it is missing, truncated or altered. When it is there and untouched this
 * costs one small read and three `stat`s.
 * @param bundleDir where a broken layer of an embedded image can be had again.
 * @throws A3sError `image_broken` naming the blob, `host_setup` without tar2sqfs, `unsupported` compression, `io`, `timeout`.
 */
export async function ensureRootfs(layout: Layout, image: Image, bundleDir: string): Promise<Rootfs> {
  const known = readUntouched(layout, image);
  if (known !== null) return known;
  const { lock } = rootfsPaths(layout, image.id);
  mkdirSync(layout.rootfsDir, { recursive: true, mode: 0o700 });
  return withLock(
    lock,
    async () => {
      const { buildRootfs, proveAgain } = await import('./rootfs-build.ts');
      const builtMeanwhile = readUntouched(layout, image) ?? (await proveAgain(layout, image));
      return builtMeanwhile ?? (await buildRootfs(layout, image, bundleDir));
    },
    { timeoutMs: BUILD_TIMEOUT_MS },
  );
}

/** The root filesystem when every file is as it was when it was last proved; null otherwise. */
function readUntouched(layout: Layout, image: Image): Rootfs | null {
  const { squashfs } = rootfsPaths(layout, image.id);
  const sidecar = readSidecar(layout, image.id);
  const now = fileStates(layout, image);
  if (sidecar === null || now === null || sidecar.files.join() !== now.join()) return null;
  return { path: squashfs, digest: sidecar.digest };
}

/** The digests of all root filesystems in the store. */
export function rootfsDigests(layout: Layout): string[] {
  const ids = namesIn(layout.rootfsDir).flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? []);
  return ids.flatMap((hex) => readSidecar(layout, `sha256:${hex}`)?.digest ?? []);
}

/** The sidecar; null when it is missing or damaged. */
export function readSidecar(layout: Layout, imageId: string): Sidecar | null {
  try {
    const value: unknown = JSON.parse(readFileSync(rootfsPaths(layout, imageId).sidecar, 'utf8'));
    if (!isObject(value) || typeof value['digest'] !== 'string' || !isDigest(value['digest'])) return null;
    const { files, layerBytes = [] } = value;
    if (!Array.isArray(files) || !files.every((file) => typeof file === 'string')) return null;
    if (!Array.isArray(layerBytes) || !layerBytes.every((bytes) => Number.isSafeInteger(bytes))) return null;
    return { digest: value['digest'], files, layerBytes };
  } catch {
    // Whatever is wrong with it, the squashfs is proved or built again and a new one written.
    return null;
  }
}

/**
 * Sizes of an image's layers as Docker tells them, in bytes: their files', known once the root filesystem was made; until then those
 * of the blobs.
 */
export function layerSizes(layout: Layout, image: Pick<Image, 'id' | 'layers'>): number[] {
  const known = readSidecar(layout, image.id)?.layerBytes ?? [];
  return image.layers.map(({ size }, n) => known[n] ?? size);
}

/** The size of an image, as `layerSizes` has it. */
export function imageSize(layout: Layout, image: Pick<Image, 'id' | 'layers'>): number {
  return layerSizes(layout, image).reduce((sum, bytes) => sum + bytes, 0);
}

/** What changes whenever somebody writes to the squashfs, the manifest or the configuration; null when one is missing. */
export function fileStates(layout: Layout, image: Image): string[] | null {
  const files = [
    rootfsPaths(layout, image.id).squashfs,
    blobPath(layout.imagesDir, image.digest),
    blobPath(layout.imagesDir, image.id),
  ];
  const states: string[] = [];
  for (const file of files) {
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return null;
    // The change time cannot be set back as the modification time can.
    states.push(`${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`);
  }
  return states;
}
