/** Images whose files lie in a spool, taken into the store. */
import type { Layout } from '../../state/layout.ts';
import { type Descriptor, parseManifest } from '../config.ts';
import { type Image, loadImage } from '../image.ts';
import { ensureRootfs, imageSize } from '../rootfs.ts';
import { collectGarbage } from '../store/collect.ts';
import { withImage } from '../store/entries.ts';
import { type Lease, takeLease } from '../store/leases.ts';
import { changeIndex } from '../store/transaction.ts';
import { nameOf, readIndex, readJsonBlob } from '../store.ts';
import type { ArchivedImage } from './contents.ts';
import type { Spool } from './spool.ts';

export interface Registered {
  image: Image;
  /** Of the manifest that the names lead to: another one than was brought where the store had the image. */
  entry: Descriptor;
  /** Names that another image had until now. */
  moved: { name: string; from: Descriptor }[];
}

/**
 * Moves the image's files into the store, proves it, makes its root filesystem, and names it last.
 * @throws A3sError `image_broken`, `io`.
 */
export async function registerImage(
  layout: Layout,
  bundleDir: string,
  spool: Spool,
  archived: ArchivedImage,
): Promise<Registered> {
  try {
    return await register(layout, bundleDir, spool, archived);
  } catch (error) {
    // No name leads to what was moved in, and unlike a download it is not gone on with.
    await changeIndex(layout, (entries) => {
      collectGarbage(layout, entries);
      return null;
    });
    throw error;
  }
}

async function register(
  layout: Layout,
  bundleDir: string,
  spool: Spool,
  { entry: brought, files, names, made }: ArchivedImage,
): Promise<Registered> {
  using lease = takeLease(layout);
  await lease.hold(files.map(({ digest }) => digest));
  const known = made ? await knownImage(layout, lease, files[1]?.digest) : undefined;
  const entry = known ?? brought;
  if (known === undefined) spool.adopt(files);
  return await nameStored(layout, bundleDir, entry, names);
}

/**
 * The same for an image whose blobs are in the store already. Where the store has an image of the same ID, that one gets the names.
 * @param image `digests`: of its manifest, configuration and layers, in this order.
 */
export async function registerStored(
  layout: Layout,
  bundleDir: string,
  { entry, digests, names }: { entry: Descriptor; digests: readonly string[]; names: readonly string[] },
): Promise<Registered> {
  using lease = takeLease(layout);
  await lease.hold(digests);
  const known = await knownImage(layout, lease, digests[1]);
  return await nameStored(layout, bundleDir, known ?? entry, names);
}

async function nameStored(
  layout: Layout,
  bundleDir: string,
  entry: Descriptor,
  names: readonly string[],
): Promise<Registered> {
  const image = loadImage(layout.imagesDir, entry, []);
  await ensureRootfs(layout, image, bundleDir);
  const moved: Registered['moved'] = [];
  await changeIndex(layout, (entries) => {
    let changed = entries;
    for (const name of names.length === 0 ? [null] : names) {
      const from = name === null ? undefined : changed.find((other) => nameOf(other) === name);
      if (name !== null && from !== undefined && from.digest !== entry.digest) moved.push({ name, from });
      changed = withImage(changed, { manifest: entry, size: imageSize(layout, image), name });
    }
    return changed;
  });
  return { image, entry, moved };
}

/** What the store has of the image with this ID, under a lease that keeps it there. */
async function knownImage(
  layout: Layout,
  lease: Lease,
  id: string | undefined,
): Promise<Descriptor | undefined> {
  for (const entry of readIndex(layout.imagesDir)) {
    const blobs = blobsOf(layout, entry);
    if (blobs === null || blobs[1] !== id) continue;
    await lease.hold(blobs);
    // It may have been removed before the lease.
    if (readIndex(layout.imagesDir).some(({ digest }) => digest === entry.digest)) return entry;
  }
  return undefined;
}

/** Manifest, configuration, layers; null for a damaged image, which is not what was brought. */
function blobsOf(layout: Layout, entry: Descriptor): string[] | null {
  try {
    const { config, layers } = parseManifest(readJsonBlob(layout.imagesDir, entry));
    return [entry, config, ...layers].map(({ digest }) => digest);
  } catch {
    return null;
  }
}
