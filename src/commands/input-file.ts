/** A file that a command reads. */
import { createReadStream, type ReadStream, statSync } from 'node:fs';

import { A3sError, hasErrno } from '../errors.ts';

/** @throws A3sError `usage` in Docker's words when it cannot be opened. */
export async function inputFile(path: string): Promise<ReadStream> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new A3sError('usage', `read ${path}: is a directory`);
  }
  const stream = createReadStream(path);
  await new Promise<void>((resolve, reject) => {
    stream.once('ready', () => resolve());
    stream.once('error', (cause) => {
      const reason = hasErrno(cause, 'ENOENT') ? 'no such file or directory' : cause.message;
      reject(new A3sError('usage', `open ${path}: ${reason}`, { cause }));
    });
  });
  return stream;
}
