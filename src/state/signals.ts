/** Signals as users and images write them. */
import { constants } from 'node:os';

import { A3sError } from '../errors.ts';
import type { BoxRecord } from './record.ts';

const RTMIN = 34;
const RTMAX = 64;
const REALTIME = /^RT(MIN|MAX)(?:([+-])(\d+))?$/;

/**
 * Linux's number of a signal given as `TERM`, `sigterm`, `15`, `RTMIN+1` or `RTMAX-1`.
 * @throws A3sError `invalid_config` in the words of Docker's engine, which looks at signals.
 */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : named(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined || number < 1 || number > RTMAX) {
    throw new A3sError('invalid_config', `invalid signal: ${text}`);
  }
  return number;
}

/** The signal that ends the box politely. */
export function stopSignalOf({ stop_signal }: Pick<BoxRecord, 'stop_signal'>): number {
  try {
    return parseSignal(stop_signal);
  } catch {
    // An image may say anything.
    return constants.signals.SIGTERM;
  }
}

function named(name: string): number | undefined {
  const plain = Object.entries(constants.signals).find(([known]) => known === `SIG${name}`);
  if (plain !== undefined) return plain[1];
  const [whole, base, sign, offset = '0'] = REALTIME.exec(name) ?? [];
  if (whole === undefined) return undefined;
  const distance = sign === '-' ? -Number(offset) : Number(offset);
  const number = (base === 'MIN' ? RTMIN : RTMAX) + distance;
  return number >= RTMIN ? number : undefined;
}
