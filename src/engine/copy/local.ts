/** The host's side of a copy: what the user's path means. */
import { lstatSync, readlinkSync, realpathSync, statSync, type Stats } from 'node:fs';
import { posix, resolve } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import { assertsDirectory, cleanPath, type Destination, type Source, splitPath } from './paths.ts';

/** Links that one destination may lead over, as in moby's CopyInfoDestinationPath. */
const MAX_LINKS = 255;

export interface LocalSource extends Source {
  /** The directory it is in, with no link in its path, and its name there. */
  directory: string;
  name: string;
}

/** Absolute, with the `/` or `/.` that it ended with. */
export function absolute(path: string): string {
  if (path.startsWith('/')) return cleanPath(path);
  return cleanPath(`${resolve('.')}/${path}`);
}

/**
 * What is to be copied. Links before the last name are followed, the last one behind a `/` or when `follow` says so.
 * @throws A3sError `usage` in Docker's words for what is not there.
 */
export function localSource(path: string, follow: boolean): LocalSource {
  const full = absolute(path);
  const { directory, base } = splitPath(full);
  const followed = follow || assertsDirectory(full);
  try {
    const real = followed
      ? realpathSync(full.replace(/\/\.$/, '/'))
      : posix.join(realpathSync(directory), base);
    const stat = lstatSync(real);
    if (assertsDirectory(full) && !stat.isDirectory()) {
      throw new A3sError('usage', `lstat ${full}: not a directory`);
    }
    const wholeContents = base === '.' || real === '/';
    const ownName = splitPath(real).base;
    return {
      path: real,
      isDirectory: stat.isDirectory(),
      title: wholeContents ? '.' : base === ownName ? ownName : base,
      directory: real === '/' ? '/' : posix.dirname(real),
      name: real === '/' ? '.' : ownName,
    };
  } catch (error) {
    throw refusal('lstat', full, error);
  }
}

/**
 * Where a copy goes: links are followed, to what may not be there yet.
 * @throws A3sError `usage` in Docker's words when its directory is not there, or it is neither file nor directory.
 */
export function localDestination(path: string): Destination {
  let full = absolute(path);
  const parent = posix.dirname(posix.normalize(full));
  if (statOf(parent) === undefined) {
    throw new A3sError('usage', `invalid output path: directory "${parent}" does not exist`);
  }
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const stat = lstatOf(full);
    if (stat === undefined) return { path: full, exists: false, isDirectory: false };
    if (!stat.isSymbolicLink()) {
      if (stat.isDirectory() || stat.isFile()) {
        return { path: full, exists: true, isDirectory: stat.isDirectory() };
      }
      throw new A3sError(
        'usage',
        `invalid output path: "${path}" must be a directory or a regular file: got a device`,
      );
    }
    const next = linkOf(full);
    full = next.startsWith('/') ? next : posix.join(splitPath(full).directory, next);
  }
  throw new A3sError('usage', `${path}: too many levels of symbolic links`);
}

function linkOf(path: string): string {
  // Behind a slash or in the middle the kernel follows it; here it is the last name.
  const bare = path.replace(/\/$/, '');
  return readlinkSync(bare);
}

function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw refusal('lstat', path, error);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw refusal('stat', path, error);
  }
}

function refusal(call: string, path: string, cause: unknown): unknown {
  if (hasErrno(cause, 'ENOENT')) {
    return new A3sError('usage', `${call} ${path.replace(/(?<=.)\/$/, '')}: no such file or directory`, {
      cause,
    });
  }
  if (hasErrno(cause, 'ENAMETOOLONG')) {
    return new A3sError('usage', `${call} ${path}: file name too long`, { cause });
  }
  if (hasErrno(cause, 'ENOTDIR')) return new A3sError('usage', `${call} ${path}: not a directory`, { cause });
  if (hasErrno(cause, 'EACCES'))
    return new A3sError('usage', `${call} ${path}: permission denied`, { cause });
  return cause;
}
