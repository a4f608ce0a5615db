/** Bind mounts as 9p shares: a directory is exported as it is, a single file through a link in a directory of its own. */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import type { BoxRecord } from '../../state/record.ts';
import type { Share } from '../qemu/args.ts';

export type MountPlan =
  | { type: 'share'; tag: string; subpath: string; target: string; read_only: boolean }
  | { type: 'tmpfs'; target: string; options: string };

/** Docker's default for `--tmpfs /path`. */
const TMPFS_DEFAULTS = 'rw,nosuid,nodev,noexec';

/**
 * The shares for QEMU and the mounts for the agent, in the order they must be made.
 * @throws A3sError `invalid_config` when a source is not there any more.
 */
export function planMounts(record: BoxRecord, sharesDir: string): { shares: Share[]; mounts: MountPlan[] } {
  const shares: Share[] = [];
  const mounts: MountPlan[] = record.tmpfs.map(({ target, options }) => ({
    type: 'tmpfs',
    target,
    options: options === '' ? TMPFS_DEFAULTS : `${TMPFS_DEFAULTS},${options}`,
  }));
  record.volumes.forEach((volume, slot) => {
    const source = shareSource(volume.source, join(sharesDir, String(slot)));
    shares.push({ path: source.dir, readOnly: volume.read_only });
    mounts.push({
      type: 'share',
      tag: `share${slot}`,
      subpath: source.subpath,
      target: volume.target,
      read_only: volume.read_only,
    });
  });
  // A mount below another must come after it.
  mounts.sort((a, b) => a.target.split('/').length - b.target.split('/').length);
  return { shares, mounts };
}

/**
 * A file is exported by a hard link, which is the same file, so that its neighbours stay out of the VM. Across file systems
 * or without the right to link, its directory must be exported; docs/security.md says so.
 */
function shareSource(source: string, linkDir: string): { dir: string; subpath: string } {
  const file = resolveLinks(source);
  if (statSync(file).isDirectory()) return { dir: source, subpath: '' };
  rmSync(linkDir, { recursive: true, force: true });
  mkdirSync(linkDir, { recursive: true, mode: 0o700 });
  try {
    linkSync(file, join(linkDir, basename(file)));
    return { dir: linkDir, subpath: basename(file) };
  } catch {
    return { dir: dirname(file), subpath: basename(file) };
  }
}

/** What the path really names: a link to a symbolic link would be one too, and lead the guest astray in its own files. */
function resolveLinks(source: string): string {
  try {
    return realpathSync(source);
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new A3sError('invalid_config', `bind source path does not exist: ${source}`, { cause });
  }
}

/** The box's writable disk: its own from an earlier start, or a fresh copy. */
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
