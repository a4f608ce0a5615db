/** Randomness from the kernel itself, because loading node:crypto costs 4 to 8 ms of every start. */
import { closeSync, openSync, readSync } from 'node:fs';

/** `size` (at most 256) unpredictable bytes, fit for keys: getrandom's pool, which never gives fewer than asked up to that size. */
export function randomBytes(size: number): Buffer {
  const descriptor = openSync('/dev/urandom', 'r');
  try {
    const bytes = Buffer.alloc(size);
    readSync(descriptor, bytes, 0, size, null);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}
