/** Where `cp` may not write (moby, daemon/archive_unix.go: containerExtractToDir, checkIfPathIsInAVolume). Pure. */
import { posix } from 'node:path';

import { A3sError } from '../../errors.ts';
import type { BoxRecord } from '../../state/record.ts';

/**
 * @param directory what the archive is extracted into, a path of the box
 * @throws A3sError `invalid_config` in Docker's words for a read-only mount, and for a read-only root outside of the mounts.
 */
export function checkWritable(record: Pick<BoxRecord, 'read_only' | 'volumes'>, directory: string): void {
  const around = record.volumes.filter(({ target }) => contains(target, directory));
  // The innermost mount is what the path is in.
  const mount = around.toSorted((a, b) => b.target.length - a.target.length)[0];
  if (mount?.read_only === true) {
    throw new A3sError('invalid_config', 'mounted volume is marked read-only');
  }
  if (mount === undefined && record.read_only) {
    throw new A3sError('invalid_config', 'container rootfs is marked read-only');
  }
}

function contains(target: string, path: string): boolean {
  const relative = posix.relative(target, path);
  return relative !== '..' && !relative.startsWith('../');
}
