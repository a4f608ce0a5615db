/** `--secret` (buildx, util/buildflags/secrets.go; BuildKit, session/secrets/secretsprovider). */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { csvFields } from '../dockerfile/instructions/csv-fields.ts';

/** As BuildKit bounds them. */
const MAX_BYTES = 500 * 1024;

/** Where a secret is. */
export interface SecretSource {
  id: string;
  /** As it was given. */
  file?: string;
  /** The name of an environment variable; it wins over a file. */
  variable?: string;
}

/** @throws A3sError `usage` in buildx's words */
export function parseSecrets(values: readonly string[]): SecretSource[] {
  return values.filter((value) => value !== '').map(parseSecret);
}

function parseSecret(value: string): SecretSource {
  let [id, file, variable, type] = ['', '', '', ''];
  for (const field of fieldsOf(value)) {
    const equals = field.indexOf('=');
    if (equals < 0) throw usage(`invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, equals).toLowerCase();
    const text = field.slice(equals + 1);
    switch (key) {
      case 'type':
        if (text !== 'file' && text !== 'env') throw usage(`unsupported secret type ${goQuote(text)}`);
        type = text;
        break;
      case 'id':
        id = text;
        break;
      case 'source':
      case 'src':
        file = text;
        break;
      case 'env':
        variable = text;
        break;
      default:
        throw usage(`unexpected key '${key}' in '${field}'`);
    }
  }
  if (type === 'env' && variable === '') [variable, file] = [file, ''];
  return {
    id,
    ...(file === '' ? {} : { file }),
    ...(variable === '' ? {} : { variable }),
  };
}

function fieldsOf(value: string): string[] {
  try {
    return csvFields(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace('failed to parse csv mounts: ', '') : '';
    throw usage(`failed to parse csv secret: ${reason}`);
  }
}

export interface Secrets {
  has(id: string): boolean;
  /**
   * Read anew each time, as BuildKit does.
   * @returns undefined for an ID that was not given
   */
  read(id: string): Promise<Buffer | undefined>;
}

/** @throws A3sError for a file that is not there or larger than 500 kB, before the build begins */
export async function openSecrets(
  sources: readonly SecretSource[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Secrets> {
  const known = new Map<string, SecretSource>();
  for (const source of sources) {
    const found = completed(source, env);
    if (found.file !== undefined) await check(found.id, found.file, cwd);
    known.set(found.id, found);
  }
  return {
    has: (id) => known.has(id),
    async read(id) {
      const source = known.get(id);
      if (source === undefined) return undefined;
      const { file, variable } = source;
      const content =
        variable === undefined && file !== undefined
          ? await readSecret(resolve(cwd, file), file)
          : Buffer.from(env[variable ?? ''] ?? '');
      if (content.length > MAX_BYTES) throw invalid(`invalid secret size ${content.length}`);
      return content;
    },
  };
}

/** An ID alone is a variable of that name, or a file. */
function completed(source: SecretSource, env: NodeJS.ProcessEnv): SecretSource {
  const { id, file, variable } = source;
  if (id === '') throw usage('secret missing ID');
  if (file !== undefined || variable !== undefined) return source;
  return env[id] === undefined ? { id, file: id } : { id, variable: id };
}

async function check(id: string, file: string, cwd: string): Promise<void> {
  const { size } = await stat(resolve(cwd, file)).catch((error: unknown) => {
    throw invalid(`failed to stat ${file}: stat ${file}: ${wordsOf(error)}`);
  });
  if (size > MAX_BYTES) throw invalid(`secret ${id} too big. max size 500KiB`);
}

async function readSecret(path: string, shown: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw invalid(`open ${shown}: ${wordsOf(error)}`);
  }
}

function wordsOf(error: unknown): string {
  if (hasErrno(error, 'ENOENT')) return 'no such file or directory';
  if (hasErrno(error, 'EACCES')) return 'permission denied';
  if (hasErrno(error, 'ENOTDIR')) return 'not a directory';
  if (hasErrno(error, 'EISDIR')) return 'is a directory';
  return error instanceof Error ? error.message : String(error);
}

function usage(message: string): A3sError {
  return new A3sError('usage', message);
}

function invalid(message: string): A3sError {
  return new A3sError('invalid_config', message);
}
