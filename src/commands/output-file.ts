/** A file that a command writes: there when it is whole, not there when the command failed. */
import { createWriteStream, existsSync, statSync, type WriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';

import { A3sError, hasErrno } from '../errors.ts';
import { pathFault } from './path-fault.ts';

export interface OutputFile extends AsyncDisposable {
  /** @throws A3sError `usage` in Docker's words when there is no such directory. */
  open(): Promise<WriteStream>;
  /** The content is whole: gives the file its name. */
  keep(): Promise<void>;
  /** What a failed write means, with the file's name; any other error as it is. */
  explain(error: unknown): unknown;
}

export function outputFile(path: string): OutputFile {
  // A device or a pipe has no other name that could be put in its place.
  const isSpecial = existsSync(path) && !statSync(path).isFile() && !statSync(path).isDirectory();
  const temporary = isSpecial ? path : `${path}.${process.pid}.tmp`;
  let stream: WriteStream | undefined;
  const remove = async (): Promise<void> => {
    if (!isSpecial && stream !== undefined) await rm(temporary, { force: true });
  };
  return {
    async open() {
      const directory = dirname(path);
      if (!existsSync(directory)) {
        throw new A3sError('usage', `invalid output path: directory "${directory}" does not exist`);
      }
      if (existsSync(path) && statSync(path).isDirectory()) {
        throw new A3sError('usage', `invalid output path: "${path}" is a directory`);
      }
      stream = createWriteStream(temporary, { mode: 0o600 });
      const opened = stream;
      await new Promise<void>((resolve, reject) => {
        opened.once('open', () => resolve());
        opened.once('error', (cause) =>
          reject(new A3sError('io', `cannot write ${path}: ${pathFault(cause)}`, { cause })),
        );
      });
      return opened;
    },
    async keep() {
      if (stream === undefined) return;
      stream.end();
      await finished(stream);
      if (!isSpecial) await rename(temporary, path);
      stream = undefined;
    },
    explain(error) {
      if (!hasErrno(error, 'ENOSPC', 'EDQUOT', 'EFBIG', 'EIO')) return error;
      return new A3sError('io', `cannot write ${path}: ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      });
    },
    async [Symbol.asyncDispose]() {
      stream?.destroy();
      await remove();
    },
  };
}
