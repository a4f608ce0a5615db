/** From the mounts that were asked for to those of a box: volumes looked up, made where they are missing. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import { checkShares } from '../../runtime/templates/shape.ts';
import { type Layout, volumePaths } from '../../state/layout.ts';
import type { TmpfsMount, VolumeMount } from '../../state/record.ts';
import { ANONYMOUS_LABEL } from '../../state/volume-record.ts';
import { addVolume, anonymousName, readVolume } from '../../state/volumes.ts';
import { cleanPath, type MountRequest, volumeRequest } from './mount-request.ts';

/**
 * What was asked for, and an anonymous volume for each path that the image (or `-v /path`) wants one at, unless something
 * is mounted there. Pure.
 * @param imageVolumes the image's VOLUMEs
 * @throws A3sError `invalid_config` when two mounts have one target.
 */
export function withImageVolumes(
  requests: readonly MountRequest[],
  tmpfs: readonly TmpfsMount[],
  imageVolumes: readonly string[],
): MountRequest[] {
  const taken = new Set<string>();
  const explicit = requests.filter(({ origin }) => origin !== 'volumes');
  for (const { target } of [...explicit, ...tmpfs]) {
    if (taken.has(target)) throw new A3sError('invalid_config', `Duplicate mount point: ${target}`);
    taken.add(target);
  }
  const anonymous = [
    ...requests.filter(({ origin }) => origin === 'volumes'),
    ...imageVolumes.map((path) =>
      volumeRequest({ target: cleanPath(`/${path}`), mode: '', origin: 'volumes' }),
    ),
  ];
  const wanted = anonymous.filter(({ target }) => {
    if (target === '/' || taken.has(target)) return false;
    taken.add(target);
    return true;
  });
  return [...explicit, ...wanted];
}

/**
 * Makes sure of the volumes. Call it under the lock of boxes.json, just before the box that mounts them is added.
 * @throws A3sError `invalid_config`, `state_corrupt`, `io`.
 */
export async function provideVolumes(
  layout: Layout,
  requests: readonly MountRequest[],
): Promise<VolumeMount[]> {
  const mounts: VolumeMount[] = [];
  for (const { type, source, labels, makesSource: _, ...rest } of requests) {
    if (type === 'bind') {
      mounts.push({ type, name: '', source, anonymous: false, ...rest });
      continue;
    }
    const anonymous = source === '';
    const name = anonymous ? anonymousName() : source;
    if (anonymous) await addVolume(layout, name, { ...labels, [ANONYMOUS_LABEL]: '' });
    else if (readVolume(layout, name) === null) await addVolume(layout, name, labels);
    mounts.push({ type, name, source: volumePaths(layout, name).data, anonymous, ...rest });
  }
  return mounts;
}

/** @throws A3sError `invalid_config` in Docker's words for a `--mount` whose source is missing. */
export function checkBindSources(requests: readonly MountRequest[]): void {
  for (const { type, source, makesSource } of requests) {
    if (type === 'bind' && !makesSource && !existsSync(source)) {
      throw new A3sError(
        'invalid_config',
        `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      );
    }
  }
}

/**
 * Refuses what no machine has room for before anything is made. Files share slots in ways that only the start can tell.
 * @throws A3sError `invalid_config`.
 */
export function checkMountCount(requests: readonly MountRequest[]): void {
  const anonymous = requests.filter(({ type, source }) => type === 'volume' && source === '');
  const known = requests
    .filter(({ type, source }) => source !== '' && (type === 'volume' || !isFile(source)))
    .map(({ type, source, read_only: readOnly }) => `${type} ${readOnly} ${source}`);
  checkShares(anonymous.length + new Set(known).size);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

/**
 * Makes missing directories, as `-v` does in Docker.
 * @throws A3sError `invalid_config`.
 */
export function makeBindSources(requests: readonly MountRequest[]): void {
  for (const { source } of requests.filter(({ type, makesSource }) => type === 'bind' && makesSource)) {
    try {
      makePath(source);
    } catch (cause) {
      throw new A3sError(
        'invalid_config',
        `error while creating mount source path '${source}': ${String(cause)}`,
        { cause },
      );
    }
  }
}

/** Not mkdir's `recursive`, which never returns where the parent is there and still says ENOENT, as in /proc. */
function makePath(path: string): void {
  if (existsSync(path)) return;
  makePath(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another command was quicker.
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}
