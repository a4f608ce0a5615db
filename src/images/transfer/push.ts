/** An image from the store to a registry. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { A3sError } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { type Descriptor, parseManifest } from '../config.ts';
import type { Image } from '../image.ts';
import type { Reference } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { originsIn, withOrigins } from '../store/entries.ts';
import { takeLease } from '../store/leases.ts';
import { changeIndex } from '../store/transaction.ts';
import { blobPath, brokenBlob, readIndex, readJsonBlob } from '../store.ts';
import { verifyBlob } from '../verify.ts';
import { inParallel } from './parallel.ts';
import { layerName, type TransferProgress } from './progress.ts';

const LAYERS_AT_ONCE = 4;
/** Layers that a registry need not have: their descriptors tell where they are. */
const FOREIGN = /(?:nondistributable|\.foreign\.)/;

export interface PushRequest {
  reference: Reference & { tag: string };
  image: Image;
  progress: TransferProgress;
  signal: AbortSignal;
}

export interface Pushed {
  digest: string;
  /** Bytes of the manifest. */
  size: number;
}

/**
 * Sends an image's blobs and then its manifest, and notes where it is now.
 * @throws A3sError of the registry, `image_broken`; the signal's reason.
 */
export async function pushImage(layout: Layout, registry: Registry, request: PushRequest): Promise<Pushed> {
  const { image, reference, progress, signal } = request;
  const index = readIndex(layout.imagesDir);
  const entry = index.find(({ digest }) => digest === image.digest);
  if (entry === undefined) throw brokenBlob(image.digest, 'is missing');
  const { config, layers } = parseManifest(readJsonBlob(layout.imagesDir, entry));
  using lease = takeLease(layout);
  const blobs = [config, ...layers];
  await lease.hold([entry, ...blobs].map(({ digest }) => digest));
  const distinct = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const sent = distinct.filter((layer) => !FOREIGN.test(layer.mediaType));
  for (const layer of sent) progress.layer(layerName(layer.digest), 'Preparing');
  const origins = originsIn(index, entry.digest);
  const sources = repositoriesOf(origins, registry.domain).filter((path) => path !== reference.path);
  await inParallel(sent, LAYERS_AT_ONCE, signal, (layer) => send(layout, registry, layer, request, sources));
  await send(
    layout,
    registry,
    config,
    { ...request, progress: { line: () => {}, layer: () => {} } },
    sources,
  );
  await verifyBlob(layout.imagesDir, entry.digest);
  const bytes = await readFile(blobPath(layout.imagesDir, entry.digest));
  const digest = await registry.putManifest(reference.path, reference.tag, entry.mediaType, bytes);
  const origin = `${registry.domain}/${reference.path}@${digest}`;
  await changeIndex(layout, (entries) =>
    withOrigins(entries, entry.digest, [...originsIn(entries, entry.digest), origin]),
  );
  return { digest, size: bytes.length };
}

async function send(
  layout: Layout,
  registry: Registry,
  blob: Descriptor,
  { reference, progress }: PushRequest,
  sources: readonly string[],
): Promise<void> {
  const id = layerName(blob.digest);
  if (await registry.hasBlob(reference.path, blob.digest)) {
    progress.layer(id, 'Layer already exists');
    return;
  }
  for (const source of sources) {
    if (await canMount(registry, reference.path, blob.digest, source)) {
      progress.layer(id, `Mounted from ${source}`);
      return;
    }
  }
  // A registry proves the digest as well, but would blame itself.
  await verifyBlob(layout.imagesDir, blob.digest);
  const path = blobPath(layout.imagesDir, blob.digest);
  await registry.uploadBlob(
    reference.path,
    blob,
    (start) => createReadStream(path, { start }),
    (done) => progress.layer(id, 'Pushing', { done, total: blob.size }),
  );
  progress.layer(id, 'Pushed');
}

/** A repository that this user may not read any more is no source, and no reason to fail. */
async function canMount(registry: Registry, path: string, digest: string, source: string): Promise<boolean> {
  try {
    return await registry.mountBlob(path, digest, source);
  } catch (error) {
    if (error instanceof A3sError && ['unauthorized', 'registry_refused'].includes(error.code)) return false;
    throw error;
  }
}

/** Repositories of the registry that are known to have the image. */
function repositoriesOf(origins: readonly string[], domain: string): string[] {
  const names = origins.map((origin) => origin.slice(0, origin.indexOf('@')));
  return names.filter((name) => name.startsWith(`${domain}/`)).map((name) => name.slice(domain.length + 1));
}
