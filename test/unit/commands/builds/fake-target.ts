/** A stream that keeps what is written, and a clock that stands still until it is told to go on. */
import type { DisplayTarget } from '../../../../src/commands/builds/progress/display.ts';

export class FakeTarget implements DisplayTarget {
  columns: number | undefined = undefined;
  rows: number | undefined = undefined;
  isTTY = false;
  readonly #pieces: Buffer[] = [];

  write = (piece: string | Buffer): boolean => {
    this.#pieces.push(Buffer.from(piece));
    return true;
  };

  /** All that was written since the last time it was asked for. */
  taken(): string {
    return Buffer.concat(this.#pieces.splice(0)).toString();
  }
}

export class FakeClock {
  time = Date.UTC(2026, 0, 1);
  now = (): number => this.time;

  /** Milliseconds on. */
  pass(milliseconds: number): number {
    this.time += milliseconds;
    return this.time;
  }
}
