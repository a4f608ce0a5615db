/** `--output`: what is built, as files. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Writable } from 'node:stream';

import { writeArchive } from '../../images/archive/write.ts';
import type { Descriptor } from '../../images/config.ts';
import { canonicalTag, parseReference } from '../../images/reference.ts';
import { withImage } from '../../images/store/entries.ts';
import { readIndex, writeIndex } from '../../images/store.ts';
import { copyBlob } from '../../images/verify.ts';
import type { Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import type { WrittenImage } from './write-image.ts';

const LOCK_TIMEOUT_MS = 600_000;

/**
 * `type=oci|docker`: an archive of the image to `sink`, which is left open. Both forms are in it: an OCI image layout, with Docker's
 * manifest.json beside it.
 * @param names as given.
 * @throws A3sError `image_broken` naming the blob, and what the sink fails with.
 */
export async function exportArchive(
  layout: Layout,
  { entry }: WrittenImage,
  { names, sink, signal }: { names: readonly string[]; sink: Writable; signal: AbortSignal },
): Promise<void> {
  await writeArchive(layout, [{ entry, names: names.map(wholeName) }], sink, signal);
}

/**
 * `type=oci|docker,tar=false`: an OCI image layout in a directory, added to what is there.
 * @throws A3sError `image_broken`, `io`.
 */
export async function exportLayout(
  layout: Layout,
  { entry, blobs }: WrittenImage,
  { directory, names, signal }: { directory: string; names: readonly string[]; signal: AbortSignal },
): Promise<void> {
  const to = resolve(directory);
  mkdirSync(join(to, 'blobs', 'sha256'), { recursive: true });
  for (const blob of blobs) {
    signal.throwIfAborted();
    await copyBlob(layout.imagesDir, to, blob);
  }
  await withLock(join(layout.locksDir, 'export.lock'), () => writeIndex(to, indexWith(to, entry, names)), {
    timeoutMs: LOCK_TIMEOUT_MS,
  });
}

function indexWith(root: string, entry: Descriptor, names: readonly string[]): Descriptor[] {
  const all: (string | null)[] = names.length === 0 ? [null] : names.map(wholeName);
  return all.reduce<Descriptor[]>(
    (index, name) => withImage(index, { manifest: entry, size: entry.size, name }),
    readIndex(root),
  );
}

function wholeName(name: string): string {
  return canonicalTag(parseReference(name));
}
