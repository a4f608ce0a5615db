/** A file that a command reads. */
import { createReadStream, fstatSync, type ReadStream } from 'node:fs';

import { A3sError } from '../errors.ts';
import { cannotOpen } from './path-fault.ts';

/** @throws A3sError `usage` in Docker's words when it cannot be opened. */
export async function inputFile(path: string): Promise<ReadStream> {
  const stream = createReadStream(path);
  await new Promise<void>((resolve, reject) => {
    stream.once('open', (file) => {
      if (!fstatSync(file).isDirectory()) return resolve();
      stream.destroy();
      reject(new A3sError('usage', `read ${path}: is a directory`));
    });
    stream.once('error', (cause) => reject(cannotOpen(path, cause)));
  });
  return stream;
}
