/** Trying again: when, how often, and after which wait. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { A3sError } from '../../errors.ts';

const ATTEMPTS = 5;
const LONGEST_WAIT_MS = 10_000;
/** Who is told to come back later than this is better told so than kept waiting. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** A failure that another try may not meet. */
export class Transient extends Error {
  /** What the user is told when no try succeeds. */
  readonly final: A3sError;
  /** The wait that the server asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(final: A3sError, retryAfterMs?: number) {
    super(final.message);
    this.final = final;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface RetryOptions {
  /** First wait; it doubles up to 10 s, each cut at random by up to half. */
  retryMs: number;
  signal?: AbortSignal | undefined;
  /** Told before each wait. */
  onRetry?: ((line: string) => void) | undefined;
  /** True when the failed try brought the work forward: the count then starts anew. */
  progressed?: () => boolean;
}

/**
 * Calls `attempt` until it succeeds, at most five times in a row without progress.
 * @throws the last `Transient`'s `final`; any other error at once
 */
export async function retrying<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      failures = options.progressed?.() === true ? 1 : failures + 1;
      const asked = error.retryAfterMs ?? 0;
      if (failures >= ATTEMPTS || asked > LONGEST_RETRY_AFTER_MS) throw error.final;
      const backOff = Math.min(LONGEST_WAIT_MS, options.retryMs * 2 ** (failures - 1));
      const wait = Math.max(asked, backOff * (0.5 + Math.random() / 2));
      const seconds = Math.max(1, Math.round(wait / 1000));
      options.onRetry?.(`${error.message}; retrying in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`);
      await sleep(wait, undefined, { signal: options.signal }).catch((ended: unknown) => {
        throw options.signal?.reason ?? ended;
      });
    }
  }
}

/** Statuses that pass (RFC 9110): a timeout, too much at once, and the server's own failures. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** `Retry-After` in milliseconds from now; undefined when it is missing or not understood. */
export function retryAfterMs(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
