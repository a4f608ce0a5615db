/** `image prune`: dangling images removed, or all that no box uses. */
import { listImages } from '../images/find.ts';
import { collectGarbage } from '../images/store/collect.ts';
import { withoutImage } from '../images/store/entries.ts';
import { changeIndex } from '../images/store/transaction.ts';
import { nameOf, writeIndex } from '../images/store.ts';
import type { Image } from '../images/image.ts';
import { rootfsDigests } from '../images/rootfs.ts';
import { sweepImageTemplates } from '../runtime/templates/sweep.ts';
import { tellPrune } from './box-tell.ts';
import { allBoxes } from './engine.ts';
import { tellImage } from './image-events.ts';
import { isDamaged } from './removable-image.ts';
import type { Removed } from './remove-image.ts';
import type { Engine } from './types.ts';

export interface PruneOptions {
  /** Images with names as well. */
  all: boolean;
  /** Which of them. */
  matches: (image: Image) => boolean;
}

export interface Pruned {
  removed: Removed[];
  bytes: number;
}

/**
 * Removes images that no box was made from, and whatever else the store has no use for: broken downloads, blobs of removed images.
 * Images of the guest bundle stay.
 */
export async function pruneImages(engine: Engine, { all, matches }: PruneOptions): Promise<Pruned> {
  const used = new Set((await allBoxes(engine)).map((box) => box.image_id));
  const images = await listImages(engine.layout, engine.bundleDir, () => {});
  const doomed = images.filter(
    (image) =>
      !used.has(image.id) && !image.embedded && matches(image) && (all || image.repoTags.length === 0),
  );
  const pruned: Pruned = { removed: [], bytes: 0 };
  await changeIndex(engine.layout, async (entries) => {
    // Without a name, a damaged image is of no use to anybody.
    const damaged = entries.filter((entry) => nameOf(entry) === null && isDamaged(engine, entry));
    let left = entries.filter((entry) => !damaged.includes(entry));
    pruned.removed.push(...damaged.map(({ digest }) => ({ deleted: digest })));
    for (const image of doomed) {
      // Somebody may have named it meanwhile.
      if (!all && left.some((entry) => entry.digest === image.digest && nameOf(entry) !== null)) continue;
      left = withoutImage(left, image.digest);
      pruned.removed.push(...[...image.repoTags, ...image.repoDigests].map((untagged) => ({ untagged })), {
        deleted: image.id,
      });
    }
    await writeIndex(engine.layout.imagesDir, left);
    // As in `rmi`: a box that was made meanwhile keeps its image.
    const late = new Set((await allBoxes(engine)).map((box) => box.image_id));
    const wanted = new Set(doomed.filter(({ id }) => late.has(id)).map(({ digest }) => digest));
    if (wanted.size > 0) {
      left = entries.filter((entry) => wanted.has(entry.digest) || left.includes(entry));
      pruned.removed = pruned.removed.filter((item) => 'untagged' in item || !late.has(item.deleted));
      await writeIndex(engine.layout.imagesDir, left);
    }
    pruned.bytes = collectGarbage(engine.layout, left).bytes;
    return null;
  });
  for (const item of pruned.removed) {
    if ('deleted' in item) tellImage(engine.layout, 'delete', item.deleted, item.deleted);
  }
  tellPrune(engine.layout, 'image', pruned.bytes);
  await sweepImageTemplates(engine.layout, rootfsDigests(engine.layout));
  return pruned;
}
