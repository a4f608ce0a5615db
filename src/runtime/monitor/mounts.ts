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
  const mounts: MountPlan[] = record.tmpfs.map(({ target, options }) => ({
    type: 'tmpfs',
    target,
    options: options === '' ? TMPFS_DEFAULTS : `${TMPFS_DEFAULTS},${options}`,
  }));
  rmSync(sharesDir, { recursive: true, force: true });
  const sources = record.volumes.map((mount, index) =>
    mount.type === 'volume' ? volumeSource(mount) : bindSource(mount, sharesDir, index),
  );
  const shares = sharesOf(sources);
  record.volumes.forEach(({ target, read_only }, index) => {
    const source = sources[index];
    if (source === undefined) return;
    const { subpath, fill } = source;
    const tag = `share${slotOf(source, shares)}`;
    mounts.push({ type: 'share', tag, subpath, target, read_only, ...(fill ? { fill } : {}) });
  });
  // A mount below another must come after it.
  mounts.sort((a, b) => a.target.split('/').length - b.target.split('/').length);
  return { shares, mounts };
}

/**
 * The shares of a box that mounts whole directories, as `planMounts` has them; null where single files are among them, for which it
 * makes links. Touches nothing.
 * @throws as planMounts does.
 */
export function directoryShares({ volumes }: Pick<BoxRecord, 'volumes'>): Share[] | null {
  const sources = volumes.map((mount) =>
    mount.type === 'volume' ? volumeSource(mount) : directorySource(mount),
  );
  const found = sources.filter((source) => source !== null);
  return found.length === sources.length ? sharesOf(found) : null;
}

/** What takes a slot each, in the order of the slots. */
function sharesOf(sources: readonly Source[]): Share[] {
  const shares: Share[] = [];
  for (const { path, readOnly, owners } of sources) {
    if (slotOf({ path, readOnly }, shares) < 0) shares.push({ path, readOnly, owners });
  }
  return shares;
}

/** The slot that exports a directory so; -1 for none. */
function slotOf({ path, readOnly }: Pick<Share, 'path' | 'readOnly'>, shares: readonly Share[]): number {
  return shares.findIndex((share) => share.path === path && share.readOnly === readOnly);
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
function bindSource(mount: VolumeMount, sharesDir: string, index: number): Source {
  const directory = directorySource(mount);
  if (directory !== null) return directory;
  const common = bindOf(mount);
  const file = resolveLinks(mount.source);
  const links = join(sharesDir, mount.read_only ? 'ro' : 'rw');
  const subpath = join(String(index), basename(file));
  mkdirSync(join(links, String(index)), { recursive: true, mode: 0o700 });
  try {
    linkSync(file, join(links, subpath));
    return { path: links, subpath, ...common };
  } catch {
    return { path: dirname(file), subpath: basename(file), ...common };
  }
}

/** A directory is exported as it is; null for a file. */
function directorySource(mount: VolumeMount): Source | null {
  if (!statSync(resolveLinks(mount.source)).isDirectory()) return null;
  return { path: mount.source, subpath: '', ...bindOf(mount) };
}

function bindOf({ read_only }: VolumeMount): Pick<Source, 'readOnly' | 'owners' | 'fill'> {
  return { readOnly: read_only, owners: 'drop', fill: false };
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
