/** A file that the user named by the directory it is in: links in that directory lead nowhere else. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

import { OpenPath, openTop, within } from '../../confined.ts';
import { A3sError, hasErrno } from '../../errors.ts';
import { followInside, namesOf } from './inside.ts';

/** A FIFO would keep whoever opens it. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const PIECE = 64 * 1024;

/** What is in the way: fit for the end of a message as Go writes it. */
export class Unreadable extends Error {}

/**
 * @param path relative to the directory
 * @param limit of bytes
 * @returns undefined when there is no such file
 * @throws Unreadable for what is no file, or too large
 */
export function readInside(directory: string, path: string, limit: number): Buffer | undefined {
  const top = openTop(directory);
  try {
    const names = followInside(top, namesOf(Buffer.from(path).toString('latin1')));
    const name = names.pop();
    if (name === undefined) throw new Unreadable('is a directory');
    using way = new OpenPath(top);
    const descriptor = openSync(within(way.enter(names), name), READ);
    try {
      return readAll(descriptor, limit);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    if (hasErrno(error, 'ENOTDIR')) throw new Unreadable('not a directory', { cause: error });
    if (hasErrno(error, 'EACCES')) throw new Unreadable('permission denied', { cause: error });
    if (hasErrno(error, 'ENXIO')) throw new Unreadable('not a regular file', { cause: error });
    throw error;
  } finally {
    closeSync(top);
  }
}

function readAll(descriptor: number, limit: number): Buffer {
  const stats = fstatSync(descriptor);
  if (stats.isDirectory()) throw new Unreadable('is a directory');
  if (!stats.isFile()) throw new Unreadable('not a regular file');
  const pieces: Buffer[] = [];
  for (let size = 0; ;) {
    const piece = Buffer.allocUnsafe(PIECE);
    const read = readSync(descriptor, piece);
    if (read === 0) return Buffer.concat(pieces);
    size += read;
    if (size > limit) throw tooLarge(limit);
    pieces.push(piece.subarray(0, read));
  }
}

/** The whole of a stream. @throws Unreadable when it is too large */
export async function readStream(source: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (size > limit) throw tooLarge(limit);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function tooLarge(limit: number): Unreadable {
  return new Unreadable(`larger than ${limit / 1024 ** 2} MiB`);
}

/** Go's words for a file that cannot be read. */
export function unreadable(what: string, path: string, error: unknown): A3sError {
  const reason = error instanceof Error ? error.message : String(error);
  return new A3sError('invalid_config', `${what}: read ${path}: ${reason}`, { cause: error });
}
