/** `--build-context name=path|URL|docker-image://…|oci-layout://…` (buildx, util/buildflags/context.go and build/opt.go). */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import { familiarString, parseReference } from '../../images/reference.ts';
import { readIgnorePatterns } from './dockerfile-text.ts';
import { parseGitReference } from './git-url.ts';
import { OCI_LAYOUT, parseOciLayout } from './oci-layout.ts';
import { openDirectory, openGitSource, openUrlSource } from './open-source.ts';
import type { NamedContext, OpenedSource, SourceOptions } from './types.ts';

const IMAGE = 'docker-image://';

/**
 * @param values as they were given: `name=value`
 * @returns what each name stands for; the last one of a name counts
 * @throws A3sError `usage` in buildx's words for what has no `=`, a name that is none; `invalid_config` for a directory or an image
 *   that is not there
 */
export async function parseNamedContexts(
  values: readonly string[],
  cwd: string,
): Promise<Map<string, NamedContext>> {
  const given = new Map<string, string>();
  for (const value of values) {
    if (value === '') continue;
    const equals = value.indexOf('=');
    if (equals < 0) {
      throw new A3sError('usage', `invalid context value: ${value}, expected key=value`);
    }
    given.set(nameOf(value.slice(0, equals)), value.slice(equals + 1));
  }
  const contexts = new Map<string, NamedContext>();
  for (const [name, value] of given) contexts.set(name, await understand(name, value, cwd));
  return contexts;
}

/** Opens one when a stage needs it. Images are the caller's: they are no directory. */
export async function openNamedContext(
  context: Exclude<NamedContext, { kind: 'image' | 'oci-layout' }>,
  options: SourceOptions,
): Promise<OpenedSource> {
  if (context.kind === 'git') return openGitSource(context.url, options);
  if (context.kind === 'url') return openUrlSource(context.url, false, options);
  const { ignorePatterns } = readIgnorePatterns(context.directory, undefined);
  return { ...openDirectory(context.directory), ignorePatterns };
}

async function understand(name: string, value: string, cwd: string): Promise<NamedContext> {
  if (value.startsWith(IMAGE)) return { kind: 'image', reference: value.slice(IMAGE.length) };
  if (value.startsWith(OCI_LAYOUT)) return { kind: 'oci-layout', ...(await parseOciLayout(value, cwd)) };
  if (parseGitReference(value) !== undefined) return { kind: 'git', url: value };
  if (/^https?:\/\//.test(value)) return { kind: 'url', url: value };
  const directory = resolve(cwd, value);
  await checkDirectory(name, directory, value);
  return { kind: 'directory', directory };
}

async function checkDirectory(name: string, directory: string, shown: string): Promise<void> {
  const there = await stat(directory).catch((error: unknown) => {
    throw missing(name, shown, error);
  });
  if (there.isDirectory()) return;
  throw new A3sError('invalid_config', `failed to get build context path {${shown} <nil>}: not a directory`);
}

function missing(name: string, value: string, error: unknown): unknown {
  if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return error;
  const reason = hasErrno(error, 'ENOENT')
    ? 'no such file or directory'
    : hasErrno(error, 'EACCES')
      ? 'permission denied'
      : 'not a directory';
  return new A3sError('invalid_config', `failed to get build context ${name}: stat ${value}: ${reason}`, {
    cause: error,
  });
}

/** A name has the form of an image's, because it may take an image's place; `:latest` says nothing. */
function nameOf(text: string): string {
  try {
    return familiarString(parseReference(text)).replace(/:latest$/, '');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new A3sError('usage', `invalid context name ${text}: ${reason}`, { cause });
  }
}
