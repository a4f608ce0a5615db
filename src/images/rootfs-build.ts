/** Building a root filesystem: an image's layers as one squashfs. Loaded only when one is missing. */
import { chmodSync, closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { A3sError } from '../errors.ts';
import type { Layout } from '../state/layout.ts';
import { namesIn } from '../state/directory.ts';
import { isAlive, processMark } from '../state/processes.ts';
import { flush } from '../state/replace-file.ts';
import { replaceFile } from '../state/replace-file.ts';
import { embeddedImages, importEmbedded } from './embedded.ts';
import type { Image } from './image.ts';
import { packLayers } from './layers/pack.ts';
import { fileStates, readSidecar, type Rootfs, rootfsPaths, type Sidecar } from './rootfs.ts';
import { fingerprintOf, verifyBlob } from './verify.ts';

/** A root filesystem that is being built by the process with this PID and start time. */
const BUILD = /^[0-9a-f]{64}\.squashfs\.(\d+)-(\d+)\.tmp$/;
/** Read-only from here on: templates and boxes map it. */
const SQUASHFS_MODE = 0o400;

/**
 * Looks at the bytes of a root filesystem whose files were touched: a copied state directory, for one, has new times.
 * @returns null when it has to be built.
 */
export async function proveAgain(layout: Layout, image: Image): Promise<Rootfs | null> {
  const { squashfs } = rootfsPaths(layout, image.id);
  const sidecar = readSidecar(layout, image.id);
  if (sidecar === null || fileStates(layout, image) === null) return null;
  const { digest } = await fingerprintOf(squashfs);
  if (digest !== sidecar.digest) return null;
  await verifyMetadata(layout, image);
  return note(layout, image, { digest, layerBytes: sidecar.layerBytes });
}

/** Builds the root filesystem and notes its state. Call it under its lock. */
export async function buildRootfs(layout: Layout, image: Image, bundleDir: string): Promise<Rootfs> {
  const { squashfs } = rootfsPaths(layout, image.id);
  // A builder that is killed may leave its tar2sqfs at work: the next one writes elsewhere.
  const temporary = `${squashfs}.${processMark()}.tmp`;
  for (const left of deadBuilds(layout)) rmSync(left, { force: true });
  try {
    const layerBytes = await packOrRepair(layout, image, bundleDir, temporary);
    await verifyMetadata(layout, image);
    const { digest } = await fingerprintOf(temporary);
    chmodSync(temporary, SQUASHFS_MODE);
    renameSync(temporary, squashfs);
    return await note(layout, image, { digest, layerBytes });
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** What builders that are gone have left. */
export function deadBuilds(layout: Layout): string[] {
  const dead = namesIn(layout.rootfsDir).filter((name) => {
    const [, pid, start] = BUILD.exec(name) ?? [];
    return pid !== undefined && !isAlive(Number(pid), Number(start));
  });
  return dead.map((name) => join(layout.rootfsDir, name));
}

async function note(
  layout: Layout,
  image: Image,
  { digest, layerBytes }: Pick<Sidecar, 'digest' | 'layerBytes'>,
): Promise<Rootfs> {
  const { squashfs, sidecar } = rootfsPaths(layout, image.id);
  await replaceFile(
    sidecar,
    `${sidecar}.tmp`,
    `${JSON.stringify({ digest, files: fileStates(layout, image), layerBytes })}\n`,
  );
  return { path: squashfs, digest };
}

async function verifyMetadata(layout: Layout, image: Image): Promise<void> {
  for (const digest of [image.digest, image.id]) {
    await verifyBlob(layout.imagesDir, digest);
  }
}

async function packOrRepair(
  layout: Layout,
  image: Image,
  bundleDir: string,
  file: string,
): Promise<number[]> {
  try {
    return await pack(layout, image, file);
  } catch (error) {
    const broken = error instanceof A3sError && error.code === 'image_broken';
    const embedded = embeddedImages(bundleDir).find(({ entry }) => entry.digest === image.digest);
    if (!broken || embedded === undefined) throw error;
    await importEmbedded(layout, bundleDir, embedded);
  }
  return pack(layout, image, file);
}

async function pack(layout: Layout, image: Image, file: string): Promise<number[]> {
  let layerBytes: number[];
  try {
    layerBytes = await packLayers(layout.imagesDir, image.layers, file);
  } catch (error) {
    // Blobs and layers name themselves.
    if (!(error instanceof A3sError) || !['io', 'timeout'].includes(error.code)) throw error;
    const name = image.repoTags[0] ?? image.id;
    throw new A3sError(error.code, `cannot build the root filesystem of image ${name}: ${error.message}`, {
      cause: error,
    });
  }
  await flushFile(file);
  return layerBytes;
}

async function flushFile(file: string): Promise<void> {
  const descriptor = openSync(file, 'r');
  try {
    await flush(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
