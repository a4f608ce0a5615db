/** `--since` and `--until`. */
import { parseTimestamp } from '../engine/timestamps.ts';
import { A3sError } from '../errors.ts';

/**
 * Nanoseconds since 1970; undefined when nothing was given.
 * @throws A3sError `usage` naming the flag, in Docker's words.
 */
export function timeOf(flag: string, text: string | undefined): bigint | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return parseTimestamp(text);
  } catch (error) {
    throw new A3sError(
      'usage',
      `invalid value for "${flag}": failed to parse value as time or duration: "${text}"`,
      { cause: error },
    );
  }
}
