/** `--ulimit`, `--sysctl` and `--memory-swap` as Docker's client takes them (docker/go-units, ulimit.go; docker/cli, opts). */
import { parseSize } from '../../units.ts';
import type { CreateOptions } from '../../engine/types.ts';
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { BadValue } from './bad-value.ts';

export type Ulimit = NonNullable<NonNullable<CreateOptions['settings']>['ulimits']>[number];

const ULIMITS =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  );

/** `name=soft[:hard]`, -1 for none. @throws BadValue in Docker's words. */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf('=');
  if (equals === -1) throw new BadValue(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals);
  if (!ULIMITS.includes(name)) throw new BadValue(`invalid ulimit type: ${name}`);
  const values = text.slice(equals + 1).split(':');
  if (values.length > 2) {
    throw new BadValue(
      `too many limit value arguments - ${text.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``,
    );
  }
  const [soft = 0, hard = soft] = values.map(parseLimit);
  // -1 is no limit: more than any other.
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new BadValue(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { name, soft, hard };
}

function parseLimit(text: string): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text)) {
    throw new BadValue(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  }
  if (!Number.isSafeInteger(value) || value < -1) {
    throw new BadValue(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  }
  return value;
}

/** `name=value`. Docker allows few names; a box's kernel is its own. @throws BadValue in Docker's words. */
export function parseSysctl(text: string): string {
  const parts = /^([a-zA-Z0-9_-]+(?:[./][a-zA-Z0-9_-]+)+)=(.*)$/s.exec(text);
  if (parts === null || text.length > 1024) throw new BadValue(`sysctl '${text}' is not allowed`);
  return text;
}

/** Bytes, or -1. @throws BadValue. */
export function parseMemorySwap(text: string): number {
  if (text === '-1') return -1;
  try {
    return parseSize(text);
  } catch (error) {
    if (error instanceof A3sError) throw new BadValue(error.message);
    throw error;
  }
}
