/** Manifests as registries and archives give them: an image's, or an index that names one for each platform. */
import { A3sError } from '../errors.ts';
import { isObject, objectOr } from '../json.ts';
import { type Descriptor, type Manifest, parseDescriptor, parseManifest } from './config.ts';
import { fits, normal, type Platform, platformString } from './platform.ts';

export const MediaType = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

const INDEXES: readonly string[] = [MediaType.ociIndex, MediaType.dockerList];
const ATTESTATION = 'vnd.docker.reference.type';
/** Layers of one image; more are an attack, or an error. */
const MAX_LAYERS = 1000;

/** @throws A3sError `image_broken`. */
export function parseJson(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new A3sError('image_broken', `${what} is not JSON`, { cause });
  }
}

/** True when the document is an index, by its media type or, where that is missing, its form. */
export function isIndex(mediaType: string, document: unknown): boolean {
  const own = objectOr(document)['mediaType'];
  const type = typeof own === 'string' && own !== '' ? own : mediaType;
  return INDEXES.includes(type) || (type === '' && Array.isArray(objectOr(document)['manifests']));
}

/** @throws A3sError `image_broken` naming the field. */
export function imageManifest(document: unknown): Manifest {
  const manifest = parseManifest(document);
  if (manifest.layers.length > MAX_LAYERS) {
    throw new A3sError(
      'image_broken',
      `the image has ${manifest.layers.length} layers; at most ${MAX_LAYERS} are supported`,
    );
  }
  return manifest;
}

/**
 * The manifest for a platform: the exact variant before one that fits.
 * @param what the image, for the error.
 * @throws A3sError `no_such_image` when the index has none for it, `image_broken`.
 */
export function chooseManifest(document: unknown, wanted: Platform, what: string): Descriptor {
  const manifests: unknown = objectOr(document)['manifests'];
  if (!Array.isArray(manifests))
    throw new A3sError('image_broken', 'the image has a bad field: index.manifests');
  const offers = manifests.flatMap((value: unknown, n) => {
    const entry = parseDescriptor(value, `index.manifests[${n}]`);
    const platform = platformOf(value);
    return platform === null || ATTESTATION in entry.annotations ? [] : [{ entry, platform }];
  });
  const fitting = offers.filter(({ platform }) => fits(platform, wanted));
  const exact = fitting.find(({ platform }) => platform.variant === wanted.variant);
  const chosen = exact ?? fitting[0];
  if (chosen !== undefined) return chosen.entry;
  const names = [...new Set(offers.map(({ platform }) => platformString(platform)))].join(', ');
  throw new A3sError(
    'no_such_image',
    `no matching manifest for ${platformString(wanted)} in the manifest list entries`,
    { hint: `${what} is there for: ${names === '' ? 'no platform' : names}` },
  );
}

function platformOf(entry: unknown): Platform | null {
  const platform = objectOr(entry)['platform'];
  // Without one it is an image for any.
  if (!isObject(platform)) return { os: 'linux', architecture: '', variant: '' };
  const { os, architecture, variant = '' } = platform;
  if (typeof os !== 'string' || typeof architecture !== 'string' || typeof variant !== 'string') return null;
  return normal(os, architecture, variant);
}
