/** `--since` and `--until`. */
import { parseTimestamp } from '../engine/timestamps.ts';
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';

/**
 * Nanoseconds since 1970; undefined when nothing was given.
 * @param flag its name, for the commands whose refusals name it in Docker
 * @throws A3sError `usage` in Docker's words.
 */
export function timeOf(text: string | undefined, flag?: string): bigint | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return parseTimestamp(text);
  } catch (error) {
    const context = flag === undefined ? '' : `invalid value for "${flag}": `;
    throw new A3sError('usage', `${context}failed to parse value as time or duration: ${goQuote(text)}`, {
      cause: error,
    });
  }
}
