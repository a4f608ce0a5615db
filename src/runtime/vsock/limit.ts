/** How long a vsock connection may take, from the dial to its last byte. */
import { VsockError } from './error.ts';

export interface VsockLimits {
  /** Milliseconds for the dial and everything that is read and written after it. */
  timeoutMs: number;
  /** Gives the connection up at once. */
  signal?: AbortSignal;
}

/** The deadline and the caller's own signal as one. */
export function limitOf({ timeoutMs, signal }: VsockLimits): AbortSignal {
  const deadline = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
}

/** Why the limit was reached, in words. */
export function limitError(limit: AbortSignal, what: string): VsockError {
  const reason: unknown = limit.reason;
  const late = reason instanceof Error && reason.name === 'TimeoutError';
  return late
    ? new VsockError('deadline', `${what}: the deadline has passed`, { cause: reason })
    : new VsockError('cancelled', `${what}: cancelled`, { cause: reason });
}

/** Waits, unless the limit comes first. @throws VsockError `deadline`, `cancelled`. */
export function waitWithin(ms: number, limit: AbortSignal, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const expire = (): void => {
      clearTimeout(timer);
      reject(limitError(limit, what));
    };
    const timer = setTimeout(() => {
      limit.removeEventListener('abort', expire);
      resolve();
    }, ms);
    if (limit.aborted) expire();
    else limit.addEventListener('abort', expire, { once: true });
  });
}
