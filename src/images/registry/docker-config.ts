/** Docker's `config.json`, of which the parts about registries are read and written and the rest is kept. */
import { chmodSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import { isObject, objectOr } from '../../json.ts';
import { replaceFile } from '../../state/replace-file.ts';

const MAX_SIZE = 16 * 1024 * 1024;

export interface DockerConfig {
  /** As given, for messages. */
  path: string;
  /** Everything in the file. */
  fields: Record<string, unknown>;
}

/** `config.json` in `DOCKER_CONFIG` or `~/.docker`. */
export function dockerConfigPath(env: NodeJS.ProcessEnv): string {
  return join(env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker'), 'config.json');
}

/**
 * The file's content; empty when there is none.
 * @throws A3sError `invalid_config` when it is no JSON object or cannot be read
 */
export function readDockerConfig(path: string): DockerConfig {
  let text: string;
  try {
    if (statSync(path).size > MAX_SIZE) throw invalid(path, `it has more than ${MAX_SIZE} bytes`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { path, fields: {} };
    throw error instanceof A3sError ? error : invalid(path, 'it cannot be read', error);
  }
  if (text.trim() === '') return { path, fields: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's words may quote a password.
    throw invalid(path, 'it is no JSON');
  }
  if (!isObject(value)) throw invalid(path, 'it is no JSON object');
  return { path, fields: value };
}

/** Replaces the file, for its owner's eyes only. A symbolic link stays one. */
export async function writeDockerConfig({ path, fields }: DockerConfig): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = target(path);
  // Docker indents with a tab, too.
  await replaceFile(file, `${file}.${process.pid}.tmp`, `${JSON.stringify(fields, null, '\t')}\n`);
  chmodSync(file, 0o600);
}

function target(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return path;
    throw error;
  }
}

/** `auths`: what is kept for each server. */
export function authsOf({ fields }: DockerConfig): Record<string, unknown> {
  return objectOr(fields['auths']);
}

/** The helper program that keeps the credentials of this server, by its short name. */
export function helperOf({ fields, path }: DockerConfig, server: string): string | undefined {
  const helpers = objectOr(fields['credHelpers']);
  const helper = Object.hasOwn(helpers, server) ? helpers[server] : fields['credsStore'];
  if (helper === undefined || helper === '') return undefined;
  // It becomes the name of a program.
  if (typeof helper === 'string' && /^[\w.-]+$/.test(helper)) return helper;
  throw invalid(path, `the credential helper of ${server} is no name`);
}

function invalid(path: string, why: string, cause?: unknown): A3sError {
  return new A3sError('invalid_config', `${path} cannot be used: ${why}`, {
    cause,
    hint: 'repair or move it',
  });
}
