/** Points in time as `--since` and `--until` take them, in nanoseconds since 1970. */
import { A3sError } from '../errors.ts';
import { parseDuration } from '../units.ts';

const NS_PER_MS = 1_000_000n;
const NS_PER_S = 1_000_000_000n;

/** Go counts seconds in 64 bits. */
const LATEST_S = 2 ** 63;

const UNIX = /^(\d+)(?:\.(\d{1,9}))?$/;
const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d{2}:\d{2})?$/;

/**
 * A Unix time (`1763800000.5`), an RFC 3339 time or a leading part of one (local time without a zone, as in Docker), or a
 * duration before `now` (`10m`).
 * @throws A3sError `usage`.
 */
export function parseTimestamp(text: string, now: bigint = BigInt(Date.now()) * NS_PER_MS): bigint {
  const [, seconds, fraction] = UNIX.exec(text) ?? [];
  if (seconds !== undefined && Number(seconds) < LATEST_S) {
    return BigInt(seconds) * NS_PER_S + fractionNs(fraction);
  }
  const exact = parseRfc3339(text);
  if (exact !== null) return exact;
  try {
    return now - BigInt(parseDuration(text));
  } catch (error) {
    throw new A3sError('usage', `invalid value for time: ${text}`, { cause: error });
  }
}

/** Nanoseconds of an RFC 3339 time; null when the text is none. */
export function parseRfc3339(text: string): bigint | null {
  const [whole, date, hour = '00', minute = '00', second = '00', fraction, zone = ''] =
    RFC3339.exec(text) ?? [];
  if (whole === undefined) return null;
  const ms = Date.parse(`${date}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(ms) ? null : BigInt(ms) * NS_PER_MS + fractionNs(fraction);
}

function fractionNs(digits: string | undefined): bigint {
  return digits === undefined ? 0n : BigInt(digits.padEnd(9, '0'));
}
