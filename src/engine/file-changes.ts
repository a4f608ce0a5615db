/** Waiting for a file to grow. */
import { watch } from 'node:fs';

/** New lines are looked for this often where the kernel does not tell of them. */
export const POLL_MS = 100;

/** Tells when a file may have grown: at once where the kernel says so, after POLL_MS at the latest. */
export class FileChanges {
  readonly #watcher: ReturnType<typeof watch> | null;
  #changed = false;
  #wake: () => void = () => {};

  constructor(path: string) {
    this.#watcher = FileChanges.#watch(path, () => {
      this.#changed = true;
      this.#wake();
    });
  }

  /** Null when the kernel has no watch left to give. */
  static #watch(path: string, changed: () => void): ReturnType<typeof watch> | null {
    try {
      return watch(path, changed).on('error', () => {});
    } catch {
      return null;
    }
  }

  async next(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#changed = false;
  }

  close(): void {
    this.#watcher?.close();
  }
}
