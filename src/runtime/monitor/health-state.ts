/** What the results of a health check make of a box (moby, daemon/health.go). Pure. */
import { MAX_RESULTS, type HealthLog, type HealthResult } from '../../state/health-log.ts';
import { MAX_TIMER_MS } from '../../state/grace.ts';
import type { HealthCheck, HealthStatus } from '../../state/record.ts';

const NS_PER_MS = 1_000_000;
const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_START_INTERVAL_MS = 5_000;
const DEFAULT_RETRIES = 3;

export interface Health {
  status: HealthStatus;
  log: HealthLog;
}

/** How long a check may take. */
export function timeoutMs(check: HealthCheck): number {
  return milliseconds(check.timeout, DEFAULT_TIMEOUT_MS);
}

/** How long to wait for the next check of a box that has run for `sinceStartMs`. */
export function intervalMs(check: HealthCheck, status: HealthStatus, sinceStartMs: number): number {
  const starting = status === 'starting' && sinceStartMs < milliseconds(check.start_period, 0);
  return starting
    ? milliseconds(check.start_interval, DEFAULT_START_INTERVAL_MS)
    : milliseconds(check.interval, DEFAULT_INTERVAL_MS);
}

/** The health after one more result. @param beganMs when the check began, from the start of the box */
export function afterResult(
  { status, log }: Health,
  result: HealthResult,
  check: HealthCheck,
  beganMs: number,
): Health {
  const results = [...log.results, result].slice(-MAX_RESULTS);
  if (result.exit_code === 0) return { status: 'healthy', log: { failing_streak: 0, results } };
  // A box that has never been healthy may fail as long as it starts.
  const excused = status === 'starting' && beganMs < milliseconds(check.start_period, 0);
  const failing_streak = log.failing_streak + (excused ? 0 : 1);
  const retries = check.retries > 0 ? check.retries : DEFAULT_RETRIES;
  const failed = !excused && failing_streak >= retries;
  return { status: failed ? 'unhealthy' : status, log: { failing_streak, results } };
}

function milliseconds(nanoseconds: number, otherwise: number): number {
  if (nanoseconds === 0) return otherwise;
  return Math.min(Math.max(nanoseconds / NS_PER_MS, 1), MAX_TIMER_MS);
}
