/** Directories whose content comes from elsewhere: may be missing, may be deep. */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';

import { A3sError, hasErrno } from '../errors.ts';

/** Names in a directory; none when it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/**
 * Removes a tree that somebody else made, however deep. Node keeps a descriptor open for each level and gives up at the limit of
 * open files; rm(1) does not.
 * @throws A3sError `io` naming the tree.
 */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    return;
  } catch {
    // Not told by its code what it is: rm tells if it cannot either.
  }
  const { status, stderr, error } = spawnSync('rm', ['-rf', '--', path], { encoding: 'utf8' });
  if (status !== 0) {
    throw new A3sError('io', `cannot remove ${path}: ${error?.message ?? stderr.trim().split('\n')[0]}`);
  }
}
