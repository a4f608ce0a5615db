/** Changes of the store's index: read, change and write under the store's lock. */
import type { Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import type { Descriptor } from '../config.ts';
import { storeLock } from '../image.ts';
import { readIndex, writeIndex } from '../store.ts';

/** An import holds the lock while it copies an embedded image; whatever else does takes milliseconds. */
const LOCK_TIMEOUT_MS = 600_000;

/**
 * Replaces the index by what `change` makes of it; null leaves it as it is. `change` may look at other files of the store, and
 * nothing else changes the index meanwhile.
 * @throws A3sError `image_broken` when the index is damaged, `timeout` when the lock stays taken, and what `change` throws.
 */
export function changeIndex(
  layout: Layout,
  change: (entries: Descriptor[]) => Descriptor[] | null | Promise<Descriptor[] | null>,
): Promise<void> {
  return withLock(
    storeLock(layout),
    async () => {
      const changed = await change(readIndex(layout.imagesDir));
      if (changed !== null) await writeIndex(layout.imagesDir, changed);
    },
    { timeoutMs: LOCK_TIMEOUT_MS },
  );
}
