/** The root filesystem of `FROM scratch`: a squashfs of nothing, made once. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { SquashfsWriter } from '../../images/layers/squashfs.ts';
import { END_OF_ARCHIVE } from '../../images/layers/tar/writer.ts';
import type { Layout } from '../../state/layout.ts';
import { processMark } from '../../state/processes.ts';

/**
 * The path of the squashfs.
 * @throws A3sError `host_setup` without tar2sqfs, `io`.
 */
export async function scratchRoot(layout: Layout): Promise<string> {
  const path = join(layout.cacheDir, 'scratch.squashfs');
  if (existsSync(path)) return path;
  mkdirSync(layout.cacheDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${processMark()}`;
  const writer = new SquashfsWriter(draft);
  try {
    writer.write(END_OF_ARCHIVE);
    await writer.finish();
    renameSync(draft, path);
  } catch (error) {
    await writer.abort();
    rmSync(draft, { force: true });
    throw error;
  }
  return path;
}
