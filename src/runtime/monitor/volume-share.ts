/** Volumes as the host sees them: whether one still has to be filled, and where its files' owners are kept. */
import { readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

import { removeTree } from '../../state/directory.ts';
import type { Share } from '../qemu/args.ts';

/** File systems that may refuse attributes of users' own (linux/magic.h): tmpfs before Linux 6.6, NFS before 5.9. */
const WITHOUT_ATTRIBUTES: ReadonlySet<number> = new Set([0x0102_1994, 0x6969]);
/** A copy of the image's files that an agent is making, or left when it died; the box's ID follows. */
const FILL = /^_fill-[0-9a-f]{32}$/;

/** True for a volume that nobody has put a file in. */
export function isEmpty(data: string): boolean {
  return readdirSync(data).length === 0;
}

/** How owners of a volume's files are kept where QEMU does not run as root. */
export function ownersOf(share: string): Share['owners'] {
  return WITHOUT_ATTRIBUTES.has(statfsSync(share).type) ? 'drop' : 'attributes';
}

/**
 * Removes what killed boxes left of their copies.
 * @param share the volume's share
 * @param active IDs of the boxes that are up or being started: their copies may still grow
 */
export function sweepFills(share: string, active: readonly string[]): void {
  const kept = new Set(active.map((id) => `_fill-${id.replaceAll('-', '')}`));
  for (const name of readdirSync(share)) {
    if (FILL.test(name) && !kept.has(name)) {
      removeTree(join(share, name));
    }
  }
}
