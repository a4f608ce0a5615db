/** `--ulimit`, `--sysctl` and `--memory-swap` as Docker's client takes them (docker/go-units, ulimit.go; docker/cli, opts). */
import { parseSize } from '../../units.ts';
import type { CreateOptions } from '../../engine/types.ts';
import { parseInt64 } from '../../go-numbers.ts';
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
  const value = parseInt64(text, 10);
  if (value < -1) throw new BadValue(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  return value;
}

/** `name=value`. Docker allows few names; a box's kernel is its own. @throws BadValue in Docker's words. */
export function parseSysctl(text: string): string {
  const parts = /^([a-zA-Z0-9_-]+(?:[./][a-zA-Z0-9_-]+)+)=(.*)$/s.exec(text);
  if (parts === null || text.length > 1024) throw new BadValue(`sysctl '${text}' is not allowed`);
  return text;
}

/** Bytes, or -1. @throws A3sError as parseSize. */
export function parseMemorySwap(text: string): number {
  return text === '-1' ? -1 : parseSize(text);
}
