/** Building a root filesystem: the layer's tar streamed into tar2sqfs. Loaded only when one is missing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, renameSync, rmSync } from 'node:fs';

import { A3sError, hasErrno } from '../errors.ts';
import type { Layout } from '../state/layout.ts';
import { flush } from '../state/replace-file.ts';
import { replaceFile } from '../state/replace-file.ts';
import { embeddedImages, importEmbedded } from './embedded.ts';
import type { Image, Layer } from './image.ts';
import { fileStates, readSidecar, type Rootfs, rootfsPaths, unsupportedImage } from './rootfs.ts';
import { fingerprintOf, unpackLayer, verifyBlob } from './verify.ts';

/** Read-only from here on: templates and boxes map it. */
const SQUASHFS_MODE = 0o400;
const STDERR_KEPT = 4_096;

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
  return note(layout, image, digest);
}

/** Builds the root filesystem and notes its state. Call it under its lock. */
export async function buildRootfs(layout: Layout, image: Image, bundleDir: string): Promise<Rootfs> {
  const [layer, ...more] = image.layers;
  if (layer === undefined || more.length > 0) throw unsupportedImage(image);
  const { squashfs } = rootfsPaths(layout, image.id);
  const temporary = `${squashfs}.tmp`;
  try {
    await packOrRepair(layout, image, layer, { bundleDir, temporary });
    await verifyMetadata(layout, image);
    const { digest } = await fingerprintOf(temporary);
    chmodSync(temporary, SQUASHFS_MODE);
    renameSync(temporary, squashfs);
    return await note(layout, image, digest);
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function note(layout: Layout, image: Image, digest: string): Promise<Rootfs> {
  const { squashfs, sidecar } = rootfsPaths(layout, image.id);
  await replaceFile(
    sidecar,
    `${sidecar}.tmp`,
    `${JSON.stringify({ digest, files: fileStates(layout, image) })}\n`,
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
  layer: Layer,
  options: { bundleDir: string; temporary: string },
): Promise<void> {
  try {
    await pack(layout, layer, options.temporary);
    return;
  } catch (error) {
    const broken = error instanceof A3sError && error.code === 'image_broken';
    const embedded = embeddedImages(options.bundleDir).find(({ entry }) => entry.digest === image.digest);
    if (!broken || embedded === undefined) throw error;
    await importEmbedded(layout, options.bundleDir, embedded);
  }
  await pack(layout, layer, options.temporary);
}

/** Owners, modes, times and extended attributes are kept; no right beyond writing the file is needed. */
async function pack(layout: Layout, layer: Layer, file: string): Promise<void> {
  const child = spawn('tar2sqfs', ['--quiet', '--force', '--no-skip', '--compressor', 'lz4', file], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, STDERR_KEPT);
  });
  const ended = once(child, 'close').then(
    ([status]) => (status === 0 ? null : new A3sError('io', `tar2sqfs failed: ${complaint.trim()}`)),
    missingProgram,
  );
  try {
    await unpackLayer(layout.imagesDir, layer, child.stdin);
  } catch (error) {
    // Half a layer makes a squashfs too: it must not come to a good end.
    child.kill('SIGKILL');
    const failure = await ended;
    // A program that gave up by itself tells more than the pipe it broke.
    const gaveUp = child.signalCode === null && !(error instanceof A3sError);
    throw gaveUp && failure !== null ? failure : error;
  }
  const failure = await ended;
  if (failure !== null) throw failure;
  await flushFile(file);
}

async function flushFile(file: string): Promise<void> {
  const descriptor = openSync(file, 'r');
  try {
    await flush(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function missingProgram(cause: unknown): A3sError {
  if (!hasErrno(cause, 'ENOENT'))
    return new A3sError('io', `cannot run tar2sqfs: ${String(cause)}`, { cause });
  return new A3sError('host_setup', 'tar2sqfs is not installed', {
    hint: 'install it: apt-get install squashfs-tools-ng',
    cause,
  });
}
