/** Long work without a wait in it lets others come in between: output is shown, a signal is heard. */
import { setImmediate } from 'node:timers/promises';

/** About twenty milliseconds of reading. */
const BYTES = 4 * 1024 ** 2;
/** What a file costs besides its bytes. */
const FILE_BYTES = 16 * 1024;

export class Pauses {
  readonly #signal: AbortSignal | undefined;
  #done = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /**
   * Counts a file's bytes, and waits a turn when it is time.
   * @throws the signal's reason once it is aborted.
   */
  async after(bytes: number): Promise<void> {
    this.#done += FILE_BYTES + bytes;
    if (this.#done < BYTES) return;
    this.#done = 0;
    await setImmediate();
    this.#signal?.throwIfAborted();
  }
}
