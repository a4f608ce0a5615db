/** The main context and its Dockerfile, from wherever the command line says (buildx, build/opt.go `loadInputs`). */
import { statSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';

import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { BLOCK } from '../../images/layers/tar/header.ts';
import { abortable } from './abortable.ts';
import { peek } from './decompress.ts';
import {
  type DockerfilePlace,
  MAX_DOCKERFILE_BYTES,
  missingDockerfile,
  placeOf,
  readDockerfile,
  readDockerfileIn,
  readIgnorePatterns,
} from './dockerfile-text.ts';
import { parseGitReference } from './git-url.ts';
import {
  DOWNLOADED_NAME,
  isArchive,
  openArchive,
  openDirectory,
  openEmpty,
  openGitSource,
  openUrlSource,
} from './open-source.ts';
import { readStream, unreadable } from './read-inside.ts';
import { openSource } from './remote-file.ts';
import type { ContextRequest, DockerfileText, OpenedContext, OpenedSource, SourceOptions } from './types.ts';

const STDIN = '-';
const STDIN_NAME = 'Dockerfile';
/** What buildx takes from a URL. */
const MAX_DOWNLOADED_BYTES = 2 * 1024 ** 2;

/**
 * Opens the context and reads the Dockerfile and the ignore patterns. Whatever it puts into `tempDir` goes when the result is
 * disposed.
 * @throws A3sError in the words of buildx and BuildKit: `unable to prepare context: path "x" not found`,
 *   `failed to read dockerfile: open Dockerfile: no such file or directory`.
 */
export async function openBuildContext(
  request: ContextRequest,
  options: SourceOptions,
): Promise<OpenedContext> {
  const { context } = request;
  if (context === '') {
    throw new A3sError('usage', 'please specify build context (e.g. "." for the current directory)');
  }
  if (context === STDIN) return fromStdin(request, options);
  // As the system reads it: without its names `git://host/x/../../..` would be a directory of this host.
  const directory = isAbsolute(context) ? context : `${options.cwd}/${context}`;
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) {
    return fromDirectory(directory, request, options);
  }
  if (isHttpUrl(context) || parseGitReference(context) !== undefined) return fromUrl(request, options);
  throw new A3sError('invalid_config', `unable to prepare context: path ${goQuote(context)} not found`);
}

async function fromDirectory(
  directory: string,
  { file, stdin }: ContextRequest,
  options: SourceOptions,
): Promise<OpenedContext> {
  const source = openDirectory(directory);
  if (file === STDIN || isHttpUrl(file)) {
    const dockerfile = await loose(file, stdin, options);
    return { ...source, ...readIgnorePatterns(directory, undefined), dockerfile };
  }
  const place: DockerfilePlace = placeOf(file, directory, options.cwd);
  const dockerfile = readDockerfile(place.directory, place.name);
  return { ...source, ...readIgnorePatterns(directory, place), dockerfile };
}

async function fromStdin({ file, stdin }: ContextRequest, options: SourceOptions): Promise<OpenedContext> {
  if (file === STDIN) {
    throw new A3sError('usage', "invalid argument: can't use stdin for both build context and dockerfile");
  }
  const [head, whole] = await peek(buffers(stdin, options.signal), BLOCK);
  if (head.length === 0) throw missingDockerfile(file ?? STDIN_NAME);
  if (isArchive(head)) {
    const source = await openArchive(whole, options);
    return withDockerfile(source, () => inside(source, file, options));
  }
  if (file !== undefined) {
    throw new A3sError('usage', 'ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles');
  }
  const dockerfile = await text(whole);
  return withDockerfile(await openEmpty(options), async () => dockerfile);
}

async function fromUrl(request: ContextRequest, options: SourceOptions): Promise<OpenedContext> {
  const { context, file, stdin } = request;
  const isRepository = parseGitReference(context) !== undefined;
  const source = await (isRepository
    ? openGitSource(context, options)
    : openUrlSource(context, true, options));
  return withDockerfile(source, () => {
    if (file === STDIN || isHttpUrl(file)) return loose(file, stdin, options);
    // The Dockerfile is what was downloaded, whatever it should be called.
    const isText = source.kind === 'url' && (file === undefined || !isAbsolute(file));
    return inside(source, isText ? DOWNLOADED_NAME : file, options);
  });
}

/** The Dockerfile of what was unpacked; a whole path names a file of this host, unless the archive came from here as well. */
async function inside(
  source: OpenedSource,
  file: string | undefined,
  { cwd }: SourceOptions,
): Promise<DockerfileText> {
  const isLocal = file !== undefined && isAbsolute(file) && source.kind !== 'archive';
  if (!isLocal) return readDockerfileIn(source.directory, file);
  const place = placeOf(file, source.directory, cwd);
  return readDockerfile(place.directory, place.name);
}

/** A Dockerfile that is in no directory. */
async function loose(
  file: string,
  stdin: ContextRequest['stdin'],
  options: SourceOptions,
): Promise<DockerfileText> {
  if (file === STDIN) return text(buffers(stdin, options.signal));
  const { content } = await openSource(file, options);
  try {
    return { name: STDIN_NAME, text: await readStream(content, MAX_DOWNLOADED_BYTES) };
  } catch (error) {
    if (error instanceof A3sError) throw error;
    throw unreadable('failed to read dockerfile', basename(file), error);
  }
}

async function text(source: AsyncIterable<Buffer>): Promise<DockerfileText> {
  try {
    return { name: STDIN_NAME, text: await readStream(source, MAX_DOCKERFILE_BYTES) };
  } catch (error) {
    throw unreadable('failed to read dockerfile', STDIN_NAME, error);
  }
}

/** The source goes when the Dockerfile cannot be had. */
async function withDockerfile(
  source: OpenedSource,
  read: () => Promise<DockerfileText>,
): Promise<OpenedContext> {
  try {
    return { ...source, ignoreFile: null, dockerfile: await read() };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

function isHttpUrl(text: string | undefined): text is string {
  return text !== undefined && /^https?:\/\//.test(text);
}

async function* buffers(source: AsyncIterable<Buffer | string>, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const piece of abortable(source, signal))
    yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
}
