/** Images whose files lie in a spool, taken into the store. */
import type { Layout } from '../../state/layout.ts';
import { type Descriptor, parseManifest } from '../config.ts';
import { type Image, loadImage } from '../image.ts';
import { ensureRootfs, imageSize } from '../rootfs.ts';
import { withImage } from '../store/entries.ts';
import { takeLease } from '../store/leases.ts';
import { changeIndex } from '../store/transaction.ts';
import { nameOf, readIndex, readJsonBlob } from '../store.ts';
import type { ArchivedImage } from './contents.ts';
import type { Spool } from './spool.ts';

export interface Registered {
  image: Image;
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
  { entry: brought, files, names, made }: ArchivedImage,
): Promise<Registered> {
  using lease = takeLease(layout);
  const known = made ? entryWithConfig(layout, files[1]?.digest) : undefined;
  const entry = known ?? brought;
  if (known === undefined) {
    await lease.hold(files.map(({ digest }) => digest));
    spool.adopt(files);
  }
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
  return { image, moved };
}

/** What the store has of the image with this ID. */
function entryWithConfig(layout: Layout, id: string | undefined): Descriptor | undefined {
  return readIndex(layout.imagesDir).find((entry) => {
    try {
      return parseManifest(readJsonBlob(layout.imagesDir, entry)).config.digest === id;
    } catch {
      // A damaged image is not what was brought.
      return false;
    }
  });
}
