/** Ctrl-C: the build is given up and cleans up; at the second one nobody waits for that any more. */
import { A3sError } from '../../errors.ts';
import { endOnSignals } from '../attach/signal-proxy.ts';

/** Status of a process that a signal ended, as a shell shows it. */
const SIGNAL_BASE = 128;

export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #impatient = Promise.withResolvers<never>();
  readonly #listening: Disposable;

  constructor() {
    // Whoever waits is told; without a waiter it is no failure.
    this.#impatient.promise.catch(() => {});
    this.#listening = endOnSignals((signal) => {
      const error = new A3sError('interrupted', 'failed to solve: Canceled: context canceled', {
        exitStatus: SIGNAL_BASE + signal,
      });
      if (this.#controller.signal.aborted) this.#impatient.reject(error);
      else this.#controller.abort(error);
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * The work's result.
   * @throws A3sError `interrupted` for work that fails once a signal has come, whatever the work says.
   */
  async during<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#impatient.promise]);
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}
