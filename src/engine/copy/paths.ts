/** Paths as Docker's `cp` reads them: a last `/` or `/.` means something (moby, pkg/archive/copy.go). Pure. */
import { posix } from 'node:path';

import { A3sError } from '../../errors.ts';

/** Cleaned, but with the `/` or `/.` that it ended with. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  if (specifiesCurrentDirectory(path)) return clean === '/' ? '/.' : `${clean.replace(/\/$/, '')}/.`;
  return clean;
}

/** True for a path that ends with `/` or `/.`: what is there must be a directory. */
export function assertsDirectory(path: string): boolean {
  return path.endsWith('/') || specifiesCurrentDirectory(path);
}

function specifiesCurrentDirectory(path: string): boolean {
  return posix.basename(path) === '.' && !path.endsWith('/');
}

/** A path of a box: absolute, whatever it is written relative to. */
export function boxPath(path: string): string {
  return cleanPath(`/${path}`);
}

/** Directory and last name; the last name of `x/.` is `.`. */
export function splitPath(path: string): { directory: string; base: string } {
  let clean = posix.normalize(path).replace(/(?<=.)\/$/, '');
  if (specifiesCurrentDirectory(path)) clean = `${clean === '/' ? '' : clean}/.`;
  // posix.dirname would take the dot away.
  const at = clean.lastIndexOf('/');
  if (at < 0) return { directory: '.', base: clean };
  return { directory: clean.slice(0, at) || '/', base: clean.slice(at + 1) || '/' };
}

export interface Source {
  path: string;
  isDirectory: boolean;
  /** What a link is called that was followed; null when its archive is called by its own name. */
  title: string | null;
}

export interface Destination {
  path: string;
  exists: boolean;
  isDirectory: boolean;
}

export interface Target {
  /** The directory to extract into; it must exist. */
  directory: string;
  /** What becomes of the archive's top name; null to leave it. */
  rename: { from: string; to: string } | null;
}

/**
 * Where an archive of `source` goes (moby, PrepareArchiveCopy).
 * @throws A3sError `usage` in Docker's words for a directory onto a file, or a file as a directory that is not there.
 */
export function targetOf(source: Source, destination: Destination): Target {
  if (destination.exists && destination.isDirectory) return { directory: destination.path, rename: null };
  if (destination.exists && source.isDirectory) throw new A3sError('usage', 'cannot copy directory');
  if (!destination.exists && !source.isDirectory && assertsDirectory(destination.path)) {
    throw new A3sError('usage', 'no such directory');
  }
  const { directory, base } = splitPath(destination.path);
  const from = source.title ?? splitPath(source.path).base;
  return { directory, rename: { from: from === '/' ? '.' : from, to: base } };
}
