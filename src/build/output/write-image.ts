/** A built image in the store. */
import { createHash } from 'node:crypto';

import { type Registered, registerStored } from '../../images/archive/register.ts';
import type { Descriptor } from '../../images/config.ts';
import { MediaType } from '../../images/manifest.ts';
import { ingestBlob } from '../../images/store/ingest.ts';
import type { Lease } from '../../images/store/leases.ts';
import type { Layout } from '../../state/layout.ts';
import type { BuiltLayer } from '../cache/built-layer.ts';
import { type ImageStep, INLINE_MEMBER, keepImageSteps, stepsDocument } from '../cache/image-steps.ts';
import { EMPTY_LAYER, EMPTY_LAYER_BLOB } from '../image/empty-layer.ts';
import type { ImageDraft } from '../image/image-draft.ts';

/** An image whose blobs are in the store, though no name may lead to it. */
export interface WrittenImage {
  /** `sha256:…` of the configuration. */
  id: string;
  /** Of the manifest. */
  entry: Descriptor;
  /** Manifest, configuration and layers. */
  blobs: readonly Descriptor[];
  steps: readonly ImageStep[];
}

export interface WriteImageOptions {
  /** Decides on the media types. */
  form: 'oci' | 'docker';
  /** Of the manifest. */
  annotations: Readonly<Record<string, string>>;
  /** What the image was made of, in order; `--cache-from` takes them from there. */
  steps: readonly ImageStep[];
  /** `BUILDKIT_INLINE_CACHE=1`, `--cache-to type=inline`: they are in the configuration, too, and go where the image goes. */
  inlineCache: boolean;
}

const DOCKER_TYPES: Readonly<Record<string, string>> = {
  [MediaType.ociManifest]: MediaType.dockerManifest,
  [MediaType.ociConfig]: 'application/vnd.docker.container.image.v1+json',
  [MediaType.ociLayer]: 'application/vnd.docker.image.rootfs.diff.tar',
  [MediaType.ociLayerGzip]: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  [MediaType.ociLayerZstd]: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
};

/**
 * Writes manifest and configuration; the layers are there already, under the lease.
 * @throws A3sError `io`.
 */
export async function writeImage(
  layout: Layout,
  lease: Lease,
  draft: ImageDraft,
  { form, annotations, steps, inlineCache }: WriteImageOptions,
): Promise<WrittenImage> {
  const typed = (type: string): string => mediaType(type, form);
  const extra = inlineCache ? { [INLINE_MEMBER]: stepsDocument(steps) } : {};
  const layers = draft.layers.map((layer) => ({
    mediaType: typed(layer.mediaType),
    digest: layer.digest,
    size: layer.size,
  }));
  if (draft.layers.some(isEmptyLayer)) await addBlob(layout, lease, EMPTY_LAYER_BLOB);
  const configBytes = draft.configuration(extra);
  const config = { mediaType: typed(MediaType.ociConfig), ...(await addBlob(layout, lease, configBytes)) };
  const manifest = {
    schemaVersion: 2,
    mediaType: typed(MediaType.ociManifest),
    config,
    layers,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: sortedMap(annotations) }),
  };
  // As BuildKit writes it: its digest is what registries know the image by.
  const bytes = Buffer.from(JSON.stringify(manifest, null, 2));
  const entry = {
    mediaType: manifest.mediaType,
    ...(await addBlob(layout, lease, bytes)),
    annotations: {},
  };
  const blobs = [entry, config, ...layers].map((blob) => ({ ...blob, annotations: {} }));
  return { id: config.digest, entry, blobs, steps };
}

/**
 * Makes the image's root filesystem and gives it its whole names; without any it is a dangling image.
 * @throws A3sError `image_broken`, `io`.
 */
export async function nameImage(
  layout: Layout,
  bundleDir: string,
  { id, entry, blobs, steps }: WrittenImage,
  names: readonly string[],
): Promise<Registered> {
  const digests = blobs.map(({ digest }) => digest);
  const registered = await registerStored(layout, bundleDir, { entry, digests, names });
  keepImageSteps(layout, id, steps);
  return registered;
}

function isEmptyLayer({ digest }: BuiltLayer): boolean {
  return digest === EMPTY_LAYER.digest;
}

function mediaType(type: string, form: 'oci' | 'docker'): string {
  if (form === 'docker') return DOCKER_TYPES[type] ?? type;
  const [oci] = Object.entries(DOCKER_TYPES).find(([, docker]) => docker === type) ?? [type];
  return oci;
}

async function addBlob(
  layout: Layout,
  lease: Lease,
  bytes: Buffer,
): Promise<{ digest: string; size: number }> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const size = bytes.length;
  await lease.hold([digest]);
  await ingestBlob(layout, { digest, size }, async (writer) => {
    await writer.restart();
    await writer.write(bytes);
  });
  return { digest, size };
}

function sortedMap(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
