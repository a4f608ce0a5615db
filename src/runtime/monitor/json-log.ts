/** The workload's output on disk, in the format of Docker's json-file driver: one JSON object a line. */
import { closeSync, openSync, write } from 'node:fs';

import { preciseTime } from '../clock.ts';

/** Docker cuts longer lines into pieces of this size. */
const MAX_LINE = 16_384;
const NEWLINE = 10;

type StreamName = 'stdout' | 'stderr';

/** RFC 3339 with nanoseconds, as Docker writes it. */
export function timestamp(): string {
  const now = preciseTime();
  const whole = Math.floor(now);
  const nanos = String(Math.floor((now - whole) * 1_000_000)).padStart(6, '0');
  return `${new Date(whole).toISOString().slice(0, -1)}${nanos}Z`;
}

export class JsonLog {
  readonly #fd: number;
  /** Unfinished lines, copied: a piece of a chunk would keep the whole chunk in memory. */
  readonly #partial = { stdout: Buffer.alloc(MAX_LINE), stderr: Buffer.alloc(MAX_LINE) };
  readonly #partialSize: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  #pending: string[] = [];
  #waiting: (() => void)[] = [];
  #writing = false;
  #failed = false;
  #closed = false;
  readonly #onError: (error: Error) => void;

  constructor(path: string, onError: (error: Error) => void) {
    this.#fd = openSync(path, 'a', 0o600);
    this.#onError = onError;
  }

  /** Takes output; `done` is called once what it completes is written, so that a slow disk slows the workload, not our memory. */
  write(stream: StreamName, chunk: Buffer, done: () => void): void {
    if (this.#closed) {
      // A guest may go on after its RESULT; the descriptor's number may be another file's by now.
      done();
      return;
    }
    const time = timestamp();
    let start = 0;
    for (;;) {
      const room = MAX_LINE - this.#partialSize[stream];
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline + 1;
      if (end - start >= room) this.#line(stream, chunk.subarray(start, start + room), time);
      else if (newline >= 0) this.#line(stream, chunk.subarray(start, end), time);
      else {
        this.#keep(stream, chunk.subarray(start));
        break;
      }
      start = Math.min(end, start + room);
    }
    this.#waiting.push(done);
    this.#flush();
  }

  /** Writes the unfinished lines and closes the file. */
  async close(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#partialSize[stream] > 0) this.#line(stream, Buffer.alloc(0), timestamp());
    }
    this.#closed = true;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#flush();
    });
    closeSync(this.#fd);
  }

  #keep(stream: StreamName, part: Buffer): void {
    part.copy(this.#partial[stream], this.#partialSize[stream]);
    this.#partialSize[stream] += part.length;
  }

  #line(stream: StreamName, last: Buffer, time: string): void {
    const size = this.#partialSize[stream];
    const line = size === 0 ? last : Buffer.concat([this.#partial[stream].subarray(0, size), last]);
    this.#partialSize[stream] = 0;
    this.#pending.push(`${JSON.stringify({ log: line.toString('utf8'), stream, time })}\n`);
  }

  #flush(): void {
    if (this.#writing) return;
    const text = this.#pending.join('');
    const settled = this.#waiting;
    this.#pending = [];
    this.#waiting = [];
    if (text === '' || this.#failed) {
      for (const done of settled) done();
      return;
    }
    this.#writing = true;
    this.#append(Buffer.from(text), (error) => {
      this.#writing = false;
      if (error !== null && !this.#failed) {
        // A full disk must not stop the workload: the log ends, and the monitor's own log says why.
        this.#failed = true;
        this.#onError(error);
      }
      for (const done of settled) done();
      if (this.#pending.length > 0 || this.#waiting.length > 0) this.#flush();
    });
  }

  #append(bytes: Buffer, done: (error: Error | null) => void): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null || written === bytes.length) done(error);
      else this.#append(bytes.subarray(written), done);
    });
  }
}
