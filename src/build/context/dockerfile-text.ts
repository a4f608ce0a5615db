/** The Dockerfile and the ignore file that goes with it (BuildKit, frontend/dockerui; buildx, build/opt.go). */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { A3sError } from '../../errors.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import { readIgnoreFile } from '../dockerignore.ts';
import { readInside, unreadable } from './read-inside.ts';
import type { DockerfileText } from './types.ts';

/** What BuildKit can hand over; nobody's Dockerfile is as large. */
export const MAX_DOCKERFILE_BYTES = 16 * 1024 ** 2;
const DEFAULT_NAME = 'Dockerfile';
const IGNORE_FILE = '.dockerignore';

/** A Dockerfile among the user's files. */
export interface DockerfilePlace {
  directory: string;
  name: string;
}

/** Where the Dockerfile is that `--file` names, or that of a directory. @throws A3sError when its directory is not there */
export function placeOf(file: string | undefined, context: string, cwd: string): DockerfilePlace {
  const directory = file === undefined ? context : resolve(cwd, dirname(file));
  if (file !== undefined) checkDirectory(dirname(file), cwd);
  const name = file === undefined ? DEFAULT_NAME : basename(file);
  return { directory, name: actualName(directory, name) };
}

/**
 * @param path of the file in the directory, as messages name it
 * @throws DockerfileError `failed to read dockerfile: open Dockerfile: no such file or directory`
 */
export function readDockerfile(directory: string, path: string): DockerfileText {
  const text = read(directory, path, 'failed to read dockerfile');
  if (text === undefined) throw missingDockerfile(path);
  return { name: path, text };
}

/** As above, in what was downloaded or unpacked: a name in lower case does as well there. */
export function readDockerfileIn(directory: string, file: string | undefined): DockerfileText {
  const path = file ?? DEFAULT_NAME;
  const text = read(directory, path, 'failed to read dockerfile');
  if (text !== undefined) return { name: path, text };
  if (basename(path) !== DEFAULT_NAME) throw missingDockerfile(path);
  return { ...readAs(directory, join(dirname(path), DEFAULT_NAME.toLowerCase()), path), name: path };
}

function readAs(directory: string, path: string, shown: string): DockerfileText {
  const text = read(directory, path, 'failed to read dockerfile');
  if (text === undefined) throw missingDockerfile(shown);
  return { name: path, text };
}

/** @param path as messages name it */
export function missingDockerfile(path: string): DockerfileError {
  return new DockerfileError(`failed to read dockerfile: open ${path}: no such file or directory`);
}

/**
 * The rules for a context: those for this Dockerfile alone, if it has some, or the context's.
 * @param place undefined for a Dockerfile that is no file
 */
export function readIgnorePatterns(
  context: string,
  place: DockerfilePlace | undefined,
): { ignorePatterns: string[]; ignoreFile: string | null } {
  const own = place === undefined ? undefined : `${place.name}${IGNORE_FILE}`;
  const text =
    place === undefined || own === undefined
      ? undefined
      : read(place.directory, own, 'failed to read dockerignore patterns');
  if (text !== undefined) return patternsOf(text, own ?? null);
  return patternsOf(read(context, IGNORE_FILE, 'failed to read dockerignore patterns'), IGNORE_FILE);
}

function patternsOf(
  text: Buffer | undefined,
  name: string | null,
): { ignorePatterns: string[]; ignoreFile: string | null } {
  if (text === undefined) return { ignorePatterns: [], ignoreFile: null };
  return { ignorePatterns: readIgnoreFile(text.toString()), ignoreFile: name };
}

function read(directory: string, path: string, what: string): Buffer | undefined {
  try {
    return readInside(directory, path, MAX_DOCKERFILE_BYTES);
  } catch (error) {
    throw unreadable(what, path, error);
  }
}

/** `dockerfile` counts where there is no `Dockerfile` (moby/moby#10858). */
function actualName(directory: string, name: string): string {
  if (name !== DEFAULT_NAME) return name;
  try {
    const names = readdirSync(directory);
    const lower = DEFAULT_NAME.toLowerCase();
    return !names.includes(DEFAULT_NAME) && names.includes(lower) ? lower : name;
  } catch {
    // What cannot be listed may still be read.
    return name;
  }
}

/** @throws A3sError as Go's EvalSymlinks tells it: the first part of the path that is not there */
function checkDirectory(path: string, cwd: string): void {
  let walked = path.startsWith('/') ? '/' : '';
  for (const name of path.split('/').filter((part) => part !== '')) {
    walked = walked === '' || walked === '/' ? `${walked}${name}` : `${walked}/${name}`;
    const there = lstatSync(resolve(cwd, walked), { throwIfNoEntry: false });
    if (there === undefined) {
      throw new A3sError('invalid_config', `resolve : lstat ${walked}: no such file or directory`);
    }
  }
  if (statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new A3sError('invalid_config', `resolve : lstat ${path}: not a directory`);
  }
}
