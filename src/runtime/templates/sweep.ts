/** Templates of images that are gone. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { namesIn } from '../../state/directory.ts';
import type { Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { LOCK_MS, templateLock } from './ensure.ts';
import { imageTemplatePrefix } from './template.ts';

const IMAGE_TEMPLATE = /^image-/;

/**
 * Removes the image templates that were made from none of these root filesystems. VMs that were cloned from them run on: they have
 * the files open.
 * @param rootfs digests of every root filesystem there is.
 */
export async function sweepImageTemplates(layout: Layout, rootfs: readonly string[]): Promise<void> {
  const kept = rootfs.map(imageTemplatePrefix);
  for (const name of namesIn(layout.templatesDir)) {
    if (!IMAGE_TEMPLATE.test(name) || kept.some((prefix) => name.startsWith(prefix))) continue;
    await withLock(
      templateLock(layout, name),
      () => rmSync(join(layout.templatesDir, name), { recursive: true, force: true }),
      { timeoutMs: LOCK_MS },
    );
  }
}
