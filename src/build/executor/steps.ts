/** Numbers and reports the steps of a build. */
import type { BuildEvents, BuildWarning } from '../progress.ts';

/** What a step tells while it is under way. */
export interface StepReport {
  stdout(bytes: Buffer): void;
  stderr(bytes: Buffer): void;
  /** A line below the step, replaced by the next one with its label. Numbers are bytes. */
  progress(label: string, current: number, total?: number): void;
  /** The line is final. */
  finished(label: string, current?: number): void;
  /** Nothing had to be done. */
  cached(): void;
}

export class Steps {
  readonly #events: BuildEvents;
  #last = 0;

  constructor(events: BuildEvents) {
    this.#events = events;
  }

  warn(warning: BuildWarning): void {
    this.#events({ kind: 'warning', warning });
  }

  /**
   * Announces a step, does its work and tells how it ended. An error is the step's own unless `signal` was aborted before it: then the
   * step was given up.
   */
  async run<T>(
    name: string,
    signal: AbortSignal,
    work: (report: StepReport, id: number) => Promise<T>,
  ): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    this.#events({ kind: 'step', id, name });
    this.#events({ kind: 'started', id, time: Date.now() });
    let isCached = false;
    const report = this.#reportOf(id, () => (isCached = true));
    try {
      const result = await work(report, id);
      this.#events(isCached ? { kind: 'cached', id } : { kind: 'done', id, time: Date.now() });
      return result;
    } catch (error) {
      const cancelled = signal.aborted;
      const message = cancelled ? 'CANCELED' : error instanceof Error ? error.message : String(error);
      this.#events({ kind: 'failed', id, time: Date.now(), message, cancelled });
      throw error;
    }
  }

  #reportOf(id: number, cached: () => void): StepReport {
    const output = (stream: 'stdout' | 'stderr', bytes: Buffer): void =>
      this.#events({ kind: 'output', id, stream, bytes, time: Date.now() });
    const progress = (label: string, done: boolean, current?: number, total?: number): void =>
      this.#events({
        kind: 'progress',
        id,
        label,
        ...(current === undefined ? {} : { current }),
        ...(total === undefined ? {} : { total }),
        done,
        time: Date.now(),
      });
    return {
      stdout: (bytes) => output('stdout', bytes),
      stderr: (bytes) => output('stderr', bytes),
      progress: (label, current, total) => progress(label, false, current, total),
      finished: (label, current) => progress(label, true, current),
      cached,
    };
  }
}
