/** System errors in the words of Go's programs: `open /x: permission denied`. */
import { A3sError } from './errors.ts';

/**
 * @param path what the user calls it, where that is not what the call was given
 * @returns A3sError `io`; what is no error of the system as it is
 */
export function goWords(error: unknown, path?: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const [, reason] = /^[A-Z0-9]+: (.*?), /.exec(error.message) ?? [];
  const place = path ?? ('path' in error ? String(error.path) : undefined);
  if (reason === undefined || place === undefined) return error;
  return new A3sError('io', `${String(error.syscall)} ${place}: ${reason}`, { cause: error });
}
