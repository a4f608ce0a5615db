/** Files that a build writes about what it has made (docker/buildx, commands/build.go). */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { A3sError } from '../../errors.ts';
import { goWords } from '../../go-words.ts';
import type { BuildRequest } from '../build-types.ts';

/**
 * Takes the ID of an earlier build away, so that nobody takes it for that of one that fails, and looks whether files can be written at all.
 * @throws A3sError `io` in Go's words.
 */
export function prepareNotes({
  iidFile,
  metadataFile,
}: Pick<BuildRequest, 'iidFile' | 'metadataFile'>): void {
  inGoWords(() => {
    if (iidFile !== undefined) rmSync(iidFile, { force: true });
  });
  for (const file of [iidFile, metadataFile]) {
    if (file !== undefined && !isDirectory(dirname(file))) {
      throw new A3sError('io', `open ${file}: no such file or directory`);
    }
  }
}

/** @throws A3sError `io` in Go's words. */
export function writeNote(file: string, text: string): void {
  inGoWords(() => writeFileSync(file, text));
}

function inGoWords(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw goWords(error);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
