/** `--env-file` and `--label-file`: one `K=V` a line, as Docker reads them. */
import { readFile } from 'node:fs/promises';

import { A3sError, hasErrno } from '../errors.ts';
import { cannotOpen, pathFault } from './path-fault.ts';

const BOM = '\uFEFF';

/**
 * The lines that assign something. Nothing is unquoted or expanded; what follows `=` is the value to its last blank.
 * @param lookUp the value of a name that stands alone; undefined drops the line
 * @throws A3sError `usage` naming the file and what is wrong in it
 */
export async function readKeyValueFile(
  path: string,
  lookUp: (name: string) => string | undefined,
): Promise<string[]> {
  const invalid = (why: string): A3sError => new A3sError('usage', `invalid env file (${path}): ${why}`);
  const bytes = await read(path, invalid);
  const pairs: string[] = [];
  for (const [index, raw] of splitLines(bytes).entries()) {
    const text = decode(raw);
    if (text === undefined) {
      throw invalid(`invalid utf8 bytes at line ${index + 1}: [${[...raw].join(' ')}]`);
    }
    const line = (index === 0 && text.startsWith(BOM) ? text.slice(1) : text).trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = equals === -1 ? line : line.slice(0, equals);
    if (name === '') throw invalid(`no variable name on line '${line}'`);
    if (/\s/.test(name)) throw invalid(`variable '${name}' contains whitespaces`);
    if (equals !== -1) pairs.push(line);
    else {
      const value = lookUp(name);
      if (value !== undefined) pairs.push(`${name}=${value}`);
    }
  }
  return pairs;
}

async function read(path: string, invalid: (why: string) => A3sError): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasErrno(error, 'EISDIR')) throw invalid(`read ${path}: ${pathFault(error)}`);
    throw cannotOpen(path, error);
  }
}

/** Lines without their `\n` or `\r\n`. */
function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    const trimmed = end > start && bytes[end - 1] === 0x0d ? end - 1 : end;
    lines.push(bytes.subarray(start, trimmed));
    start = end + 1;
  }
  return lines;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
