/** An image from a registry into the store. */
import { rm } from 'node:fs/promises';

import { A3sError } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { type Descriptor, type Manifest, parseConfig } from '../config.ts';
import { type Image, loadImage } from '../image.ts';
import { chooseManifest, imageManifest, isIndex, parseJson } from '../manifest.ts';
import { fits, normal, type Platform, platformString } from '../platform.ts';
import { canonicalTag, familiarString, type Reference } from '../reference.ts';
import type { RemoteManifest } from '../registry/manifests.ts';
import type { Registry } from '../registry/registry.ts';
import { ensureRootfs, imageSize } from '../rootfs.ts';
import { type NewEntry, originsIn, withImage } from '../store/entries.ts';
import { type BlobWriter, hasBlob, ingestBlob, isBroken } from '../store/ingest.ts';
import { takeLease } from '../store/leases.ts';
import { changeIndex } from '../store/transaction.ts';
import { blobPath, brokenBlob, nameOf, readIndex, readJsonBlob } from '../store.ts';
import { fingerprintOf } from '../verify.ts';
import { inParallel } from './parallel.ts';
import { layerName, type TransferProgress } from './progress.ts';

const LAYERS_AT_ONCE = 4;
/** The configuration is held in memory. */
const MAX_CONFIG = 8 * 1024 * 1024;

export interface PullRequest {
  /** With a tag, a digest, or both. */
  reference: Reference;
  platform: Platform;
  /** The user asked for this platform: an image for another one is refused. */
  platformWanted: boolean;
  progress: TransferProgress;
  signal: AbortSignal;
  /** Where a broken embedded image can be had again. */
  bundleDir: string;
}

export interface Pulled {
  /** Digest of what the registry has under the reference: an index or a manifest. */
  digest: string;
  /** False when the store had the same under this name. */
  changed: boolean;
}

/**
 * Brings an image into the store, proves it, makes its root filesystem and gives it its name, in this order: whatever fails before
 * the last step leaves the store as it was, and keeps what has been downloaded for the next try.
 * @throws A3sError of the registry, `image_broken`, `no_such_image` without the platform, `io`; the signal's reason.
 */
export async function pullImage(layout: Layout, registry: Registry, request: PullRequest): Promise<Pulled> {
  const { reference } = request;
  const root = await registry.manifest(reference.path, reference.digest ?? reference.tag ?? '');
  const what = reference.tag ?? `${reference.domain}/${reference.path}@${root.digest}`;
  request.progress.line(`${what}: Pulling from ${reference.path}`);
  try {
    return { digest: root.digest, changed: await bring(layout, registry, root, request) };
  } catch (error) {
    throw named(error, { ...reference, digest: root.digest });
  }
}

/** The error of an image that is wrong in the registry, with the image's name. */
function named(error: unknown, reference: Reference): unknown {
  if (!isBroken(error)) return error;
  return new A3sError('image_broken', `${familiarString(reference)}: ${error.message}`, {
    cause: error,
    hint: 'what the registry has is damaged: the image has to be built or pushed again',
  });
}

async function bring(
  layout: Layout,
  registry: Registry,
  root: RemoteManifest,
  request: PullRequest,
): Promise<boolean> {
  const { remote, manifest } = await resolve(registry, root, request);
  const entry = {
    mediaType: remote.mediaType,
    digest: remote.digest,
    size: remote.bytes.length,
    annotations: {},
  };
  using lease = takeLease(layout);
  await lease.hold([entry, manifest.config, ...manifest.layers].map(({ digest }) => digest));
  // Nothing is told of the layers of an image that is there already.
  const known = readIndex(layout.imagesDir).some(({ digest }) => digest === entry.digest);
  const progress = known ? SILENT : request.progress;
  await ingestBlob(layout, entry, (writer) => writer.write(remote.bytes.subarray(writer.offset)));
  await fetchConfig(layout, registry, manifest, request);
  const fetched = await fetchLayers(layout, registry, manifest.layers, { ...request, progress });
  for (const layer of fetched) progress.layer(layerName(layer.digest), 'Extracting');
  const image = await proved(layout, registry, entry, manifest, request);
  for (const layer of fetched) progress.layer(layerName(layer.digest), 'Pull complete');
  // Awaited here: the lease ends with this function.
  return await nameImage(
    layout,
    { manifest: entry, size: imageSize(layout, image) },
    root.digest,
    request.reference,
  );
}

/** The image with its root filesystem. A blob that was altered since it came is brought once more. */
async function proved(
  layout: Layout,
  registry: Registry,
  entry: Descriptor,
  { config, layers }: Manifest,
  request: PullRequest,
): Promise<Image> {
  const image = loadImage(layout.imagesDir, entry, []);
  try {
    await ensureRootfs(layout, image, request.bundleDir);
    return image;
  } catch (error) {
    if (!isBroken(error)) throw error;
    const altered = await dropAltered(layout, [config, ...layers]);
    if (altered.length === 0) throw error;
    const { reference, signal } = request;
    for (const blob of altered)
      await download(layout, registry, { blob, repository: reference.path, signal });
  }
  await ensureRootfs(layout, image, request.bundleDir);
  return image;
}

/** Removes blobs whose bytes are not theirs any more, which no image can use; returns them. */
async function dropAltered(layout: Layout, blobs: readonly Descriptor[]): Promise<Descriptor[]> {
  const altered: Descriptor[] = [];
  for (const blob of blobs) {
    const { digest } = await fingerprintOf(blobPath(layout.imagesDir, blob.digest));
    if (digest === blob.digest) continue;
    await rm(blobPath(layout.imagesDir, blob.digest), { force: true });
    altered.push(blob);
  }
  return altered;
}

const SILENT: TransferProgress = { line: () => {}, layer: () => {} };

/** The manifest of the image for the platform, behind an index where there is one. */
async function resolve(
  registry: Registry,
  root: RemoteManifest,
  { reference, platform }: PullRequest,
): Promise<{ remote: RemoteManifest; manifest: Manifest }> {
  const document = parseJson(root.bytes, 'its manifest');
  if (!isIndex(root.mediaType, document)) return { remote: root, manifest: imageManifest(document) };
  const chosen = chooseManifest(document, platform, familiarString(reference));
  const remote = await registry.manifest(reference.path, chosen.digest);
  const inner = parseJson(remote.bytes, `its manifest ${remote.digest}`);
  if (isIndex(remote.mediaType, inner)) throw new A3sError('image_broken', 'it is an index of indexes');
  return { remote, manifest: imageManifest(inner) };
}

/** The configuration, which also tells the platform of an image without an index. */
async function fetchConfig(
  layout: Layout,
  registry: Registry,
  { config: blob, layers }: Manifest,
  { reference, platform, platformWanted, signal }: PullRequest,
): Promise<void> {
  if (blob.size > MAX_CONFIG) {
    throw new A3sError(
      'image_broken',
      `the configuration ${blob.digest} has ${blob.size} bytes; at most ${MAX_CONFIG} are read`,
    );
  }
  await download(layout, registry, { blob, repository: reference.path, signal });
  const config = parseConfig(readJsonBlob(layout.imagesDir, blob));
  if (config.diffIds.length !== layers.length) {
    throw brokenBlob(blob.digest, 'lists another number of layers than its manifest');
  }
  const offered = normal(config.os, config.architecture, config.variant);
  if (!platformWanted || fits(offered, platform)) return;
  throw new A3sError(
    'no_such_image',
    `image with reference ${familiarString(reference)} was found but does not provide the specified platform (${platformString(platform)})`,
    { hint: `it is there for ${platformString(offered)}` },
  );
}

/** Downloads what is missing; returns the layers that were, each once. */
async function fetchLayers(
  layout: Layout,
  registry: Registry,
  layers: readonly Descriptor[],
  { reference, progress, signal }: PullRequest,
): Promise<Descriptor[]> {
  const distinct = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const missing = distinct.filter(({ digest, size }) => !hasBlob(layout, digest, size));
  for (const layer of missing) progress.layer(layerName(layer.digest), 'Pulling fs layer');
  for (const layer of missing.slice(LAYERS_AT_ONCE)) progress.layer(layerName(layer.digest), 'Waiting');
  const fetched = new Set<Descriptor>();
  await inParallel(distinct, LAYERS_AT_ONCE, signal, async (layer, until) => {
    const id = layerName(layer.digest);
    const tell = (done: number): void => progress.layer(id, 'Downloading', { done, total: layer.size });
    const added = await download(layout, registry, {
      blob: layer,
      repository: reference.path,
      signal: until,
      tell,
    });
    if (added) fetched.add(layer);
    progress.layer(id, added ? 'Download complete' : 'Already exists');
  });
  return distinct.filter((layer) => fetched.has(layer));
}

interface Download {
  blob: Descriptor;
  repository: string;
  signal: AbortSignal;
  /** Told how many bytes have arrived. */
  tell?: (done: number) => void;
}

/** Downloads a blob unless it is there, a second time when its bytes are wrong; false when it was there. */
async function download(layout: Layout, registry: Registry, wanted: Download): Promise<boolean> {
  const { blob, repository, signal, tell = () => {} } = wanted;
  const attempt = (): Promise<boolean> =>
    ingestBlob(layout, { ...blob, signal }, (writer) =>
      registry.downloadBlob(repository, blob, watched(writer, signal, tell)),
    );
  try {
    return await attempt();
  } catch (error) {
    if (!isBroken(error)) throw error;
  }
  try {
    return await attempt();
  } catch (error) {
    if (!isBroken(error)) throw error;
    throw new A3sError(
      'image_broken',
      `filesystem layer verification failed for digest ${blob.digest}: ${error.message}`,
      { cause: error },
    );
  }
}

/** A writer that tells how far it has got, and takes nothing once the pull is given up. */
function watched(writer: BlobWriter, signal: AbortSignal, tell: (done: number) => void): BlobWriter {
  return {
    get offset() {
      return writer.offset;
    },
    async write(chunk) {
      signal.throwIfAborted();
      await writer.write(chunk);
      tell(writer.offset);
    },
    restart: () => writer.restart(),
  };
}

/** Names the image and notes where it is from; false when the store had it under this name. */
async function nameImage(
  layout: Layout,
  image: Pick<NewEntry, 'manifest' | 'size'>,
  rootDigest: string,
  reference: Reference,
): Promise<boolean> {
  const name = reference.digest === undefined ? canonicalTag(reference) : null;
  const origin = `${reference.domain}/${reference.path}@${rootDigest}`;
  let changed = true;
  await changeIndex(layout, (entries) => {
    const { digest } = image.manifest;
    const known = originsIn(entries, digest).includes(origin);
    const held = entries.some((entry) => entry.digest === digest && nameOf(entry) === name);
    changed = name === null ? !known : !held;
    return changed || !known ? withImage(entries, { ...image, name, origin }) : null;
  });
  return changed;
}
