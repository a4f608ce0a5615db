/** The health check of a new box: the flags' over the image's, by Docker's rules. Pure. */
import { A3sError } from '../errors.ts';
import type { HealthCheck } from '../state/record.ts';

const NS_PER_MS = 1_000_000;
const NAMES = {
  interval: 'Interval',
  timeout: 'Timeout',
  start_period: 'StartPeriod',
  start_interval: 'StartInterval',
} as const;

/**
 * What a box is checked with; null for nothing. An empty `test`, and every 0, takes the image's (moby, runconfig merge).
 * @throws A3sError `invalid_config` in Docker's words.
 */
export function healthCheckOf(own: HealthCheck | null, image: HealthCheck | null): HealthCheck | null {
  if (own === null) return image;
  for (const field of ['interval', 'timeout', 'start_period', 'start_interval'] as const) {
    if (own[field] !== 0 && own[field] < NS_PER_MS)
      throw new A3sError('invalid_config', `${NAMES[field]} in Healthcheck cannot be less than 1ms`);
  }
  if (own.test[0] === 'NONE') return own;
  const merged: HealthCheck = {
    test: own.test.length > 0 ? own.test : (image?.test ?? []),
    interval: own.interval || (image?.interval ?? 0),
    timeout: own.timeout || (image?.timeout ?? 0),
    start_period: own.start_period || (image?.start_period ?? 0),
    start_interval: own.start_interval || (image?.start_interval ?? 0),
    retries: own.retries || (image?.retries ?? 0),
  };
  return merged;
}
