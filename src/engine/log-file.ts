/** A log in the format of Docker's json-file driver: one object a line. */
import type { FileHandle } from 'node:fs/promises';

import { isObject } from '../json.ts';

const CHUNK = 65_536;
const NEWLINE = 10;

export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  time: string;
  stream: 'stdout' | 'stderr';
  /** With its newline; a very long line comes in pieces. */
  text: string;
  /** What the box's log options attach to each line. */
  attributes?: Record<string, string>;
  /** So many lines before it, at least, could not be written. */
  lost?: number;
}

/** Reads complete lines from an offset on; what is half-written is left for the next call, what `parse` makes null is left out. */
export class LogReader<T> {
  readonly #file: FileHandle;
  readonly #parse: (line: string) => T | null;
  #offset: number;
  #rest = Buffer.alloc(0);

  constructor(file: FileHandle, offset: number, parse: (line: string) => T | null) {
    this.#file = file;
    this.#offset = offset;
    this.#parse = parse;
  }

  /** What was read last is half a line. */
  get isTorn(): boolean {
    return this.#rest.length > 0;
  }

  /** The lines in the next piece of the file; null at its present end. */
  async next(): Promise<T[] | null> {
    const buffer = Buffer.allocUnsafe(CHUNK);
    const { bytesRead } = await this.#file.read(buffer, 0, CHUNK, this.#offset);
    if (bytesRead === 0) return null;
    this.#offset += bytesRead;
    const held = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
    const end = held.lastIndexOf(NEWLINE) + 1;
    this.#rest = held.subarray(end);
    return held
      .toString('utf8', 0, end)
      .split('\n')
      .map(this.#parse)
      .filter((line) => line !== null);
  }
}

/** A line of the file; null when a crash left it damaged. */
export function parseLine(text: string): LogLine | null {
  if (text === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { log, stream, time, attrs, lost } = value;
  if (typeof log !== 'string' || typeof time !== 'string') return null;
  if (stream !== 'stdout' && stream !== 'stderr') return null;
  const line: LogLine = { time, stream, text: log };
  if (isObject(attrs)) {
    line.attributes = Object.fromEntries(Object.entries(attrs).map(([name, text]) => [name, String(text)]));
  }
  if (typeof lost === 'number' && Number.isSafeInteger(lost) && lost > 0) line.lost = lost;
  return line;
}

export interface Tail {
  /** Where it begins. */
  offset: number;
  /** Complete lines from there to the end. */
  lines: number;
}

/** Where the last `count` complete lines of the file begin, or all of them where there are fewer. */
export async function tailOf(file: FileHandle, count: number): Promise<Tail> {
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(CHUNK);
  let newlines = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - CHUNK);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at -= 1) {
      if (buffer[at] !== NEWLINE) continue;
      // The newline that ends line `count + 1` from the end comes before them.
      if (newlines === count) return { offset: start + at + 1, lines: count };
      newlines += 1;
    }
    end = start;
  }
  return count === 0 ? { offset: size, lines: 0 } : { offset: 0, lines: newlines };
}
