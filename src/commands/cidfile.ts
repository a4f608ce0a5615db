/** `--cidfile`: a file that holds the box's ID, and is gone when there is no box. */
import { existsSync, unlinkSync } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';

import { A3sError, hasErrno } from '../errors.ts';
import { pathFault } from './path-fault.ts';

export interface CidFile extends AsyncDisposable {
  write(id: string): Promise<void>;
  /** The box whose ID was written is gone. */
  forget(): void;
}

/**
 * Reserves the file now, so that a path that cannot be written is known before there is a box.
 * Disposing removes it unless the ID of a box that exists was written.
 * @throws A3sError `usage` in Docker's words
 */
export async function openCidFile(path: string | undefined): Promise<CidFile> {
  if (path === undefined || path === '') {
    return {
      write: () => Promise.resolve(),
      forget: () => {},
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const file = await reserve(path);
  let written = false;
  const removeUnwritten = (): void => {
    if (!written && existsSync(path)) unlinkSync(path);
  };
  // A signal that ends the process leaves through here, too.
  process.once('exit', removeUnwritten);
  return {
    write: async (id) => {
      await file.writeFile(id);
      written = true;
    },
    forget: () => {
      written = false;
    },
    [Symbol.asyncDispose]: async () => {
      process.removeListener('exit', removeUnwritten);
      await file.close();
      if (!written) await unlink(path).catch(() => {});
    },
  };
}

async function reserve(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o644);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) {
      throw new A3sError(
        'usage',
        `container ID file found, make sure the other container isn't running or delete ${path}`,
      );
    }
    throw new A3sError('usage', `failed to create the container ID file: open ${path}: ${pathFault(error)}`);
  }
}
