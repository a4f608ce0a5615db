/** Sources of files that are not the user's directories: archives, downloads, repositories. */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { BLOCK, isZero, readHeader } from '../../images/layers/tar/header.ts';
import { counting } from './counting.ts';
import { isCompressed, peek } from './decompress.ts';
import { extractArchive } from './extract-archive.ts';
import { fetchGit } from './git.ts';
import { modifiedOf, openSource } from './remote-file.ts';
import type { OpenedSource, SourceOptions } from './types.ts';

/** What a download that is no archive is called in its context. */
export const DOWNLOADED_NAME = 'context';

/** The user's own directory: nothing is copied, nothing removed. */
export function openDirectory(directory: string): OpenedSource {
  return {
    kind: 'directory',
    directory,
    attributes: new Map(),
    ignorePatterns: [],
    transferred: 0,
    commit: null,
    modified: null,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A directory without anything in it. */
export async function openEmpty(options: SourceOptions): Promise<OpenedSource> {
  const place = await placeFor(options);
  return { ...openDirectory(place.directory), kind: 'dockerfile', [Symbol.asyncDispose]: place.remove };
}

/** An archive, unpacked. */
export async function openArchive(
  input: AsyncIterable<Buffer>,
  options: SourceOptions,
): Promise<OpenedSource> {
  const { directory, remove } = await placeFor(options);
  try {
    let transferred = 0;
    const count = counting((bytes) => {
      transferred = bytes;
      options.received?.(bytes);
    });
    const attributes = await extractArchive(count(input), directory, options);
    const place = openDirectory(directory);
    return { ...place, kind: 'archive', attributes, transferred, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * A download: an archive is unpacked, anything else is one file, `context`.
 * @param unpack false: it is a file whatever is in it
 */
export async function openUrlSource(
  url: string,
  unpack: boolean,
  options: SourceOptions,
): Promise<OpenedSource> {
  const answer = await openSource(url, options);
  const modified = modifiedOf(answer);
  const [head, whole] = await peek(answer.content, BLOCK);
  if (unpack && isArchive(head)) {
    return { ...(await openArchive(whole, options)), kind: 'archive', modified };
  }
  const { directory, remove } = await placeFor(options);
  try {
    let transferred = 0;
    const count = counting((bytes) => {
      transferred = bytes;
      options.received?.(bytes);
    });
    const file = createWriteStream(join(directory, DOWNLOADED_NAME), { mode: 0o600 });
    await pipeline(whole, count, file, { signal: options.signal });
    return { ...openDirectory(directory), kind: 'url', transferred, modified, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw options.signal.aborted ? options.signal.reason : error;
  }
}

export async function openGitSource(url: string, options: SourceOptions): Promise<OpenedSource> {
  const checkout = await fetchGit(url, { ...options, checksum: '' });
  return {
    ...openDirectory(checkout.directory),
    kind: 'git',
    commit: checkout.commit,
    modified: checkout.committed,
    [Symbol.asyncDispose]: () => checkout[Symbol.asyncDispose](),
  };
}

/** True for the beginning of a compressed file or of a tar, as BuildKit tells a context from a Dockerfile. */
export function isArchive(head: Buffer): boolean {
  if (isCompressed(head)) return true;
  if (head.length < BLOCK) return false;
  const block = head.subarray(0, BLOCK);
  return isZero(block) || readHeader(block) !== null;
}

async function placeFor({
  tempDir,
}: SourceOptions): Promise<{ directory: string; remove: () => Promise<void> }> {
  const place = await mkdtemp(join(tempDir, 'context-'));
  const directory = join(place, 'files');
  await mkdir(directory);
  return { directory, remove: () => rm(place, { recursive: true, force: true }) };
}
