/** The box's writable disk. */
import { chmodSync, constants, copyFileSync, existsSync, rmSync } from 'node:fs';

import { A3sError } from '../../errors.ts';

/** The box's own from an earlier start, or a fresh copy of `original`. */
export function provideScratch(path: string, original: string, keep: boolean): void {
  if (keep) {
    if (!existsSync(path)) {
      throw new A3sError('state_corrupt', `the box's disk ${path} is missing`, {
        hint: 'its files are lost: remove the box and create it again',
      });
    }
    return;
  }
  rmSync(path, { force: true });
  copyFileSync(original, path, constants.COPYFILE_FICLONE);
  chmodSync(path, 0o600);
}
