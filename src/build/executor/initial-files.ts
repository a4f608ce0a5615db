/** What a cache mount starts with: files of an image, a stage or the context, as they are there. */
import { chmodSync, closeSync, lchownSync, lstatSync } from 'node:fs';

import { OpenPath, openTop, within } from '../../confined.ts';
import { extractArchive } from '../context/extract-archive.ts';
import type { EntryAttributes } from '../context/types.ts';
import type { MountContent } from '../transfer/select-for-mount.ts';

/**
 * Puts the files into an empty directory. Owners and set-ID bits are theirs only where the user may give them: as root.
 * @throws what extractArchive throws
 */
export async function putInitialFiles(
  content: MountContent,
  directory: string,
  options: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<void> {
  const attributes = await extractArchive(content.tar(options.signal), directory, options);
  if (process.getuid?.() !== 0) return;
  const top = openTop(directory);
  try {
    using way = new OpenPath(top);
    for (const [path, given] of attributes) {
      const names = path.split('/');
      const name = names.pop() ?? '';
      give(within(way.enter(names), name), given);
    }
    if (content.top !== null) give(directory, content.top);
  } finally {
    closeSync(top);
  }
}

/** Owner before mode: a change of owner takes set-ID bits away. */
function give(path: Buffer | string, { mode, uid, gid }: EntryAttributes): void {
  lchownSync(path, uid, gid);
  if (!lstatSync(path).isSymbolicLink()) chmodSync(path, mode);
}
