/** What `rmi` and `image prune` say of each name and image: in Docker the same words, with a capital or without. */
import type { Removed } from '../../engine/remove-image.ts';

export function removedLine(removed: Removed): string {
  return 'untagged' in removed ? `Untagged: ${removed.untagged}\n` : `Deleted: ${removed.deleted}\n`;
}

export function prunedLine(removed: Removed): string {
  return 'untagged' in removed ? `untagged: ${removed.untagged}\n` : `deleted: ${removed.deleted}\n`;
}
