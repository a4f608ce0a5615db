/** `logs`: what the workload wrote, with times and streams. */
import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { hasErrno } from '../errors.ts';
import { boxPaths } from '../state/layout.ts';
import { findBox } from './engine.ts';
import { type LogLine, LogReader, tailOffset } from './log-file.ts';
import { RunWatch } from './run-watch.ts';
import { parseRfc3339 } from './timestamps.ts';
import type { Engine } from './types.ts';

export type { LogLine } from './log-file.ts';

/** New lines are looked for this often where the kernel does not tell of them. */
const POLL_MS = 100;
const NS_PER_MS = 1_000_000n;

export interface LogOptions {
  /** Goes on until the box stops. */
  follow: boolean;
  /** Only the last lines; undefined for all. */
  tail: number | undefined;
  /** Nanoseconds since 1970, inclusive. */
  since: bigint | undefined;
  until: bigint | undefined;
}

/** The lines of a box's log, oldest first. Errors as in resolveBox, on the first step. */
export async function* readLogs(engine: Engine, query: string, options: LogOptions): AsyncGenerator<LogLine> {
  const record = await findBox(engine, query);
  const running = new RunWatch(engine.layout, record);
  const path = boxPaths(record.box_dir).jsonLog;
  const file = await openWhenThere(path, running, options.follow);
  if (file === null) return;
  const changes = options.follow ? new FileChanges(path) : null;
  try {
    const offset = options.tail === undefined ? 0 : await tailOffset(file, options.tail);
    const reader = new LogReader(file, offset);
    for (;;) {
      // Asked before the read: what a box wrote before it ended is then certain to be read.
      const mayGrow = changes !== null && (await running.isUp());
      for (let lines = await reader.next(); lines !== null; lines = await reader.next()) {
        for (const line of lines) {
          const time = parseRfc3339(line.time) ?? 0n;
          if (options.until !== undefined && time > options.until) return;
          if (options.since === undefined || time >= options.since) yield line;
        }
      }
      if (!mayGrow || isPast(options.until)) return;
      await changes?.next();
    }
  } finally {
    changes?.close();
    await file.close();
  }
}

function isPast(time: bigint | undefined): boolean {
  return time !== undefined && BigInt(Date.now()) * NS_PER_MS > time;
}

/** The log file; null when the box has none, and none is to be waited for. */
async function openWhenThere(path: string, running: RunWatch, follow: boolean): Promise<FileHandle | null> {
  for (;;) {
    const mayCome = follow && (await running.isUp());
    try {
      return await open(path, 'r');
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
    if (!mayCome) return null;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Tells when a file may have grown: at once where the kernel says so, after POLL_MS at the latest. */
class FileChanges {
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
