/** A box's mounts as 9p shares: a directory and a volume are exported as they are, single files through links. */
import { linkSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import { VOLUME_DATA } from '../../state/layout.ts';
import type { BoxRecord, VolumeMount } from '../../state/record.ts';
import type { Share } from '../qemu/args.ts';
import { isEmpty, ownersOf } from './volume-share.ts';

export type MountPlan =
  | { type: 'share'; tag: string; subpath: string; target: string; read_only: boolean; fill?: true }
  | { type: 'tmpfs'; target: string; options: string };

/** Docker's default for `--tmpfs /path`. */
const TMPFS_DEFAULTS = 'rw,nosuid,nodev,noexec';

/** What is exported for one mount, and what of it is mounted. */
interface Source extends Share {
  subpath: string;
  fill: boolean;
}

/**
 * The shares for QEMU and the mounts for the agent, in the order they must be made. Mounts of one directory share a slot,
 * because slots are few.
 * @throws A3sError `invalid_config` when a source is not there any more.
 */
export function planMounts(
  record: Pick<BoxRecord, 'tmpfs' | 'volumes'>,
  sharesDir: string,
): { shares: Share[]; mounts: MountPlan[] } {
  const shares: Share[] = [];
  const mounts: MountPlan[] = record.tmpfs.map(({ target, options }) => ({
    type: 'tmpfs',
    target,
    options: options === '' ? TMPFS_DEFAULTS : `${TMPFS_DEFAULTS},${options}`,
  }));
  rmSync(sharesDir, { recursive: true, force: true });
  record.volumes.forEach((mount, index) => {
    const { subpath, fill, ...share } =
      mount.type === 'volume' ? volumeSource(mount) : bindSource(mount, sharesDir, index);
    mounts.push({
      type: 'share',
      tag: `share${slotOf(share, shares)}`,
      subpath,
      target: mount.target,
      read_only: mount.read_only,
      ...(fill ? { fill } : {}),
    });
  });
  // A mount below another must come after it.
  mounts.sort((a, b) => a.target.split('/').length - b.target.split('/').length);
  return { shares, mounts };
}

/** The slot that exports this directory so, taken now if there is none. */
function slotOf(share: Share, shares: Share[]): number {
  const known = shares.findIndex(({ path, readOnly }) => path === share.path && readOnly === share.readOnly);
  return known < 0 ? shares.push(share) - 1 : known;
}

/**
 * Not the data's directory itself: another box that fills the volume puts a new one in its place, and QEMU would hold on
 * to the old one.
 */
function volumeSource(mount: VolumeMount): Source {
  const share = dirname(mount.source);
  if (statSync(mount.source, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new A3sError('invalid_config', `get ${mount.name}: no such volume`, {
      hint: `its files are gone; a3s-box volume create ${mount.name} makes an empty one`,
    });
  }
  const fill = mount.copy && isEmpty(mount.source);
  return {
    path: share,
    readOnly: mount.read_only && !fill,
    owners: ownersOf(share),
    subpath: join(VOLUME_DATA, mount.subpath),
    fill,
  };
}

/**
 * A file is exported by a hard link, which is the same file, so that its neighbours stay out of the VM. Across file systems
 * or without the right to link, its directory must be exported; docs/security.md says so. All files of a box with equal
 * rights are in one share, each in a directory of its own.
 */
function bindSource({ source, read_only }: VolumeMount, sharesDir: string, index: number): Source {
  const common = { readOnly: read_only, owners: 'drop' as const, fill: false };
  const file = resolveLinks(source);
  if (statSync(file).isDirectory()) return { path: source, subpath: '', ...common };
  const links = join(sharesDir, read_only ? 'ro' : 'rw');
  const subpath = join(String(index), basename(file));
  mkdirSync(join(links, String(index)), { recursive: true, mode: 0o700 });
  try {
    linkSync(file, join(links, subpath));
    return { path: links, subpath, ...common };
  } catch {
    return { path: dirname(file), subpath: basename(file), ...common };
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
