/** What the system has against a path, in the words of Go's programs. */
import { A3sError } from '../errors.ts';

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EROFS: 'read-only file system',
};

/** The reason alone; an error that is no system's is told by its message. */
export function pathFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return WORDS[code] ?? (error instanceof Error ? error.message : String(error));
}

/** @returns A3sError `usage`: `open PATH: REASON`. */
export function cannotOpen(path: string, cause: unknown): A3sError {
  return new A3sError('usage', `open ${path}: ${pathFault(cause)}`, { cause });
}
