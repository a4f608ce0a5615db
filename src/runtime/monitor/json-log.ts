/** The workload's output on disk, in the format of Docker's json-file driver: one JSON object a line. */
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  write,
} from 'node:fs';

import { preciseTime } from '../../state/clock.ts';

export interface LogRotation {
  /** Bytes of a file after which the next one begins. */
  maxSize: number;
  /** How many files are kept: `path`, `path.1`, … from new to old. */
  maxFiles: number;
}

export interface JsonLogOptions extends LogRotation {
  /** Stands at each line. */
  attributes?: Record<string, string> | undefined;
}

const NO_ROTATION: JsonLogOptions = { maxSize: Number.POSITIVE_INFINITY, maxFiles: 1 };

/** Docker cuts longer lines into pieces of this size. */
const MAX_LINE = 16_384;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);
/** A clock that goes back by more was set anew. */
const CLOCK_STEP_MS = 1000;

type StreamName = 'stdout' | 'stderr';

/** A time in ms since 1970 by RFC 3339 with nanoseconds, as Docker writes it. */
export function timestamp(now = preciseTime()): string {
  const whole = Math.floor(now);
  const nanos = String(Math.floor((now - whole) * 1_000_000)).padStart(6, '0');
  return `${new Date(whole).toISOString().slice(0, -1)}${nanos}Z`;
}

export class JsonLog {
  readonly #path: string;
  readonly #options: JsonLogOptions;
  #fd: number;
  /** Bytes in the file that is written. */
  #fileSize: number;
  /** Unfinished lines, copied: a piece of a chunk would keep the whole chunk in memory. */
  readonly #partial = { stdout: Buffer.alloc(MAX_LINE), stderr: Buffer.alloc(MAX_LINE) };
  readonly #partialSize: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  /** Of the last line, in ms since 1970. */
  #lastTime = 0;
  #pending: string[] = [];
  #waiting: (() => void)[] = [];
  #writing = false;
  /** The file ends with half a line, for a full disk took no more: the next begins on a line of its own. */
  #isTorn: boolean;
  /** Lines that could not be written since the last one that could; of an earlier monitor's the half one is known. */
  #lost: number;
  #closed = false;
  readonly #say: (line: string) => void;

  /** @param say for what befalls the log itself */
  constructor(path: string, say: (line: string) => void, options: JsonLogOptions = NO_ROTATION) {
    this.#path = path;
    this.#options = options;
    this.#fd = openSync(path, 'a+', 0o600);
    this.#fileSize = fstatSync(this.#fd).size;
    this.#isTorn = endsTorn(this.#fd, this.#fileSize);
    this.#lost = this.#isTorn ? 1 : 0;
    this.#say = say;
  }

  /** Takes output; `done` is called once what it completes is written, so that a slow disk slows the workload, not our memory. */
  write(stream: StreamName, chunk: Buffer, done: () => void): void {
    if (this.#closed) {
      // A guest may go on after its RESULT; the descriptor's number may be another file's by now.
      done();
      return;
    }
    const time = this.#time();
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
      if (this.#partialSize[stream] > 0) this.#line(stream, Buffer.alloc(0), this.#time());
    }
    this.#closed = true;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#flush();
    });
    closeSync(this.#fd);
  }

  /** Lines are in the order of their times: the clock's last digits may go back a little, and are waited for. */
  #time(): string {
    const now = preciseTime();
    const behind = this.#lastTime - now;
    if (behind <= 0 || behind > CLOCK_STEP_MS) this.#lastTime = now;
    return timestamp(this.#lastTime);
  }

  #keep(stream: StreamName, part: Buffer): void {
    part.copy(this.#partial[stream], this.#partialSize[stream]);
    this.#partialSize[stream] += part.length;
  }

  #line(stream: StreamName, last: Buffer, time: string): void {
    const size = this.#partialSize[stream];
    const line = size === 0 ? last : Buffer.concat([this.#partial[stream].subarray(0, size), last]);
    this.#partialSize[stream] = 0;
    const { attributes: attrs } = this.#options;
    const entry = { log: line.toString('utf8'), stream, ...(attrs === undefined ? {} : { attrs }), time };
    this.#pending.push(`${JSON.stringify(entry)}\n`);
  }

  #flush(): void {
    if (this.#writing) return;
    if (this.#pending.length === 0) {
      this.#release(this.#waiting.length);
      return;
    }
    // Whoever comes while this is written waits for the next round.
    const settled = this.#waiting.length;
    this.#writing = true;
    const lines = this.#pending;
    this.#pending = [];
    this.#writeFiles(lines, (error, lost) => {
      this.#writing = false;
      this.#account(error, lost, lines.length);
      this.#release(settled);
      if (this.#pending.length > 0 || this.#waiting.length > 0) this.#flush();
    });
  }

  /**
   * A full disk must not stop the workload: lines are lost until there is space. The first one after them says so, as does the monitor's
   * own log.
   */
  #account(error: Error | null, lost: number, count: number): void {
    if (this.#lost > 0 && lost < count) {
      this.#say(`the log goes on; it has lost ${this.#lost} ${this.#lost === 1 ? 'line' : 'lines'}`);
      this.#lost = 0;
    }
    if (error === null) return;
    if (this.#lost === 0) this.#say(`the log loses lines: ${error.message}`);
    this.#lost += lost;
  }

  #release(count: number): void {
    for (const done of this.#waiting.splice(0, count)) done();
  }

  /** Writes these lines, file after file, and tells how many it could not. */
  #writeFiles(lines: string[], done: (error: Error | null, lost: number) => void): void {
    const [line] = lines;
    if (this.#lost > 0 && line !== undefined) lines[0] = afterGap(line, this.#lost);
    let next = 0;
    const step = (error: Error | null, unwritten: Buffer): void => {
      if (error !== null) {
        this.#fileSize = fstatSync(this.#fd).size;
        this.#isTorn = endsTorn(this.#fd, this.#fileSize);
        // A newline in front ends what is in the file.
        done(error, linesIn(unwritten.subarray(unwritten[0] === NEWLINE ? 1 : 0)) + lines.length - next);
        return;
      }
      if (next === lines.length) {
        done(null, 0);
        return;
      }
      try {
        if (this.#fileSize >= this.#options.maxSize) this.#rotate();
      } catch (cause) {
        done(cause instanceof Error ? cause : new Error(String(cause)), lines.length - next);
        return;
      }
      const first = next;
      next = this.#fill(lines, first);
      const text = lines.slice(first, next).join('');
      this.#append(Buffer.from(this.#isTorn ? `\n${text}` : text), step);
      this.#isTorn = false;
    };
    step(null, NOTHING);
  }

  /** Index of the first line from `first` on that goes to the next file. */
  #fill(lines: readonly string[], first: number): number {
    const { maxSize } = this.#options;
    if (maxSize === Number.POSITIVE_INFINITY) return lines.length;
    let next = first;
    for (; next < lines.length && this.#fileSize < maxSize; next += 1) {
      this.#fileSize += Buffer.byteLength(lines[next] ?? '');
    }
    return next;
  }

  /**
   * Begins a new file. `path` is there at any instant, and a follower holds the old file open, so that it loses nothing whatever
   * becomes of that.
   */
  #rotate(): void {
    const { maxFiles } = this.#options;
    const name = (index: number): string => (index === 0 ? this.#path : `${this.#path}.${index}`);
    let free = 1;
    while (free < maxFiles - 1 && existsSync(name(free))) free += 1;
    for (; free > 1; free -= 1) renameSync(name(free - 1), name(free));
    const fd = openSync(`${this.#path}.new`, 'w+', 0o600);
    if (maxFiles > 1) {
      rmSync(name(1), { force: true });
      linkSync(this.#path, name(1));
    }
    renameSync(`${this.#path}.new`, this.#path);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#fileSize = 0;
    this.#isTorn = false;
  }

  #append(bytes: Buffer, done: (error: Error | null, unwritten: Buffer) => void): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null) done(error, bytes);
      else if (written === bytes.length) done(null, NOTHING);
      else this.#append(bytes.subarray(written), done);
    });
  }
}

/** A line that says how many are missing before it, in a field that Docker's driver does not have. */
function afterGap(line: string, lost: number): string {
  return `${line.slice(0, -'}\n'.length)},"lost":${lost}}\n`;
}

function endsTorn(fd: number, size: number): boolean {
  const last = Buffer.of(NEWLINE);
  if (size > 0) readSync(fd, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
