/** The health check of a running box: a command in the box, again and again, and what its results mean. */
import type { BoxRecord, HealthStatus } from '../../state/record.ts';
import { boxPaths } from '../../state/layout.ts';
import { NO_RESULTS, writeHealthLog } from '../../state/health-log.ts';
import { afterResult, intervalMs, type Health } from './health-state.ts';
import { runHealthCheck } from './health-check.ts';
import { note } from './monitor-log.ts';

export class HealthMonitor {
  readonly #record: BoxRecord;
  readonly #changed: (status: HealthStatus) => void;
  readonly #path: string;
  readonly #startedAt = Date.now();
  #health: Health = { status: 'starting', log: NO_RESULTS };
  /** What is under way counts as long as this is the same. */
  #round: AbortController | null = null;

  /** @param changed told of each new status; the first is `starting` and not told. */
  constructor(record: BoxRecord, changed: (status: HealthStatus) => void) {
    this.#record = record;
    this.#changed = changed;
    this.#path = boxPaths(record.box_dir).healthLog;
    this.#save();
    this.pause(false);
  }

  /** No checks while the box is paused; the one under way does not count. */
  pause(on: boolean): void {
    this.#round?.abort();
    this.#round = null;
    if (on) return;
    const round = new AbortController();
    this.#round = round;
    void this.#checks(round.signal);
  }

  stop(): void {
    this.pause(true);
  }

  async #checks(signal: AbortSignal): Promise<void> {
    const { healthcheck } = this.#record;
    if (healthcheck === null) return;
    for (;;) {
      const sinceStart = Date.now() - this.#startedAt;
      await pass(intervalMs(healthcheck, this.#health.status, sinceStart), signal);
      if (signal.aborted) return;
      const began = Date.now() - this.#startedAt;
      const result = await runHealthCheck(this.#record, healthcheck, signal);
      if (signal.aborted) return;
      const before = this.#health.status;
      this.#health = afterResult(this.#health, result, healthcheck, began);
      this.#save();
      if (this.#health.status !== before) this.#changed(this.#health.status);
    }
  }

  #save(): void {
    try {
      writeHealthLog(this.#path, this.#health.log);
    } catch (error) {
      note(`no health log: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Time, or the end of it all. */
function pass(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
