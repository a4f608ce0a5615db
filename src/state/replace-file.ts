/** Files that are replaced whole: after a crash at any instant the old or the new content is there. */
import { closeSync, fsync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes `temporary`, flushes it to the disk, renames it to `file`, and flushes the directory. Only one caller at a time
 * may use the same `temporary`.
 */
export async function replaceFile(
  file: string,
  temporary: string,
  content: string | Uint8Array,
): Promise<void> {
  try {
    const descriptor = openSync(temporary, 'w', 0o600);
    try {
      writeFileSync(descriptor, content);
      await flush(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  await flushDirectory(dirname(file));
}

/** Makes what was written durable. The disk may take long: other work of this process goes on meanwhile. */
export function flush(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** Makes the names in a directory durable. */
export async function flushDirectory(directory: string): Promise<void> {
  const descriptor = openSync(directory, 'r');
  try {
    await flush(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
