/** How long a restart policy waits before each start (moby, restartmanager): doubled each time, from the start after a good run. */

const FIRST_MS = 100;
const LONGEST_MS = 60_000;
/** A box that ran so long did not fail at its start. */
const GOOD_RUN_MS = 10_000;

export class BackOff {
  #last = 0;

  /** Milliseconds to wait after a run of `ranMs`. */
  next(ranMs: number): number {
    this.#last = this.#last === 0 || ranMs >= GOOD_RUN_MS ? FIRST_MS : Math.min(this.#last * 2, LONGEST_MS);
    return this.#last;
  }

  reset(): void {
    this.#last = 0;
  }
}
