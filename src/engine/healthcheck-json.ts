/** A health check in Docker's shape, without what is not set. Pure. */
import type { HealthCheck } from '../state/record.ts';

export function healthcheckJson(check: HealthCheck): object {
  const optional = {
    Interval: check.interval,
    Timeout: check.timeout,
    StartPeriod: check.start_period,
    StartInterval: check.start_interval,
    Retries: check.retries,
  };
  return {
    Test: check.test,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value > 0)),
  };
}
