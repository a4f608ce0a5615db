/** An image in an OCI layout of the user's (`--build-context name=oci-layout://…`), brought into the store for the build. */
import { readFileSync } from 'node:fs';

import type { NamedContext } from '../../build/context/types.ts';
import { type Descriptor, parseManifest } from '../../images/config.ts';
import { type Image, loadImage } from '../../images/image.ts';
import { chooseManifest, imageManifest, isIndex, parseJson } from '../../images/manifest.ts';
import type { Platform } from '../../images/platform.ts';
import { blobPath, brokenBlob } from '../../images/store.ts';
import type { Lease } from '../../images/store/leases.ts';
import { copyBlob, verifyBlob } from '../../images/verify.ts';
import { objectOr } from '../../json.ts';
import type { Layout } from '../../state/layout.ts';

/**
 * Copies the image that the context names, for a platform where it is one of several.
 * @throws A3sError `image_broken` naming the blob, `no_such_image` when there is none for the platform
 */
export async function importLayout(
  layout: Layout,
  { directory, digest }: NamedContext & { kind: 'oci-layout' },
  { lease, platform }: { lease: Lease; platform: Platform },
): Promise<Image> {
  const entry = await manifestOf(directory, digest, platform);
  const { config, layers } = parseManifest(documentOf(directory, entry.digest));
  const blobs = [entry, config, ...layers];
  await lease.hold(blobs.map((blob) => blob.digest));
  for (const blob of blobs) await copyBlob(directory, layout.imagesDir, blob);
  return loadImage(layout.imagesDir, entry, []);
}

async function manifestOf(directory: string, digest: string, platform: Platform): Promise<Descriptor> {
  await verifyBlob(directory, digest);
  const document = documentOf(directory, digest);
  if (isIndex('', document)) {
    return manifestOf(directory, chooseManifest(document, platform, directory).digest, platform);
  }
  imageManifest(document);
  const { mediaType } = objectOr(document);
  const size = readFileSync(blobPath(directory, digest)).length;
  const kind = typeof mediaType === 'string' ? mediaType : 'application/vnd.oci.image.manifest.v1+json';
  return { mediaType: kind, digest, size, annotations: {} };
}

function documentOf(directory: string, digest: string): unknown {
  let bytes;
  try {
    bytes = readFileSync(blobPath(directory, digest));
  } catch (cause) {
    throw brokenBlob(digest, 'is missing', cause);
  }
  return parseJson(bytes, digest);
}
