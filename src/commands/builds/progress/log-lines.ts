/** Output of a step, cut into lines that know when they came. */
import { timestamp } from './numbers.ts';

/** A piece of a line; a line may come in several. */
export interface LinePiece {
  /** What stands before the line: the time since the step began. Undefined in the middle of a line. */
  time: string | undefined;
  bytes: Buffer;
  /** The line is complete. */
  ends: boolean;
}

const LINE_FEED = 0x0a;

/** Cuts chunks into pieces of lines. */
export class LineCutter {
  #open = false;

  /** True in the middle of a line. */
  get open(): boolean {
    return this.#open;
  }

  /** @param since milliseconds since the step began */
  cut(bytes: Buffer, since: number): LinePiece[] {
    const pieces: LinePiece[] = [];
    for (let at = 0; at < bytes.length;) {
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = feed < 0 ? bytes.length : feed;
      const time = this.#open ? undefined : timestamp(since);
      pieces.push({ time, bytes: bytes.subarray(at, end), ends: feed >= 0 });
      this.#open = feed < 0;
      at = end + 1;
    }
    return pieces;
  }
}

/** Bytes of one line that are kept: an endless one must not take the memory. */
const LINE_MAX = 16 * 1024;

/** The last lines of a step, to be shown again when it fails. */
export class LastLines {
  readonly #max: number;
  #lines: Buffer[] = [];
  #open = false;
  #dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add({ time, bytes, ends }: LinePiece): void {
    if (!this.#open) this.#lines.push(Buffer.from(`${time ?? ''} `));
    const line = this.#lines.at(-1) ?? Buffer.alloc(0);
    const room = Math.max(0, LINE_MAX - line.length);
    this.#lines[this.#lines.length - 1] = Buffer.concat([line, bytes.subarray(0, room)]);
    this.#open = !ends;
    // Now and then, not at each line.
    if (this.#lines.length < 2 * this.#max) return;
    this.#dropped += this.#lines.length - this.#max;
    this.#lines = this.#lines.slice(-this.#max);
  }

  get lines(): readonly Buffer[] {
    return this.#lines.slice(-this.#max);
  }

  /** How many lines were more than are kept. */
  get dropped(): number {
    return this.#dropped + Math.max(0, this.#lines.length - this.#max);
  }
}
