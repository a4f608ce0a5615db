/** `logs`: what the workload wrote, with times and streams. */
import type { FileHandle } from 'node:fs/promises';

import { A3sError } from '../errors.ts';
import { settingsOf } from '../state/box-settings.ts';
import { boxPaths } from '../state/layout.ts';
import { maxFiles } from '../state/log-options.ts';
import { findBox } from './engine.ts';
import { FileChanges, POLL_MS } from './file-changes.ts';
import { type LogLine, LogReader, parseLine, tailOf } from './log-file.ts';
import { LogFiles } from './log-files.ts';
import { RunWatch } from './run-watch.ts';
import { parseRfc3339 } from './timestamps.ts';
import type { Engine } from './types.ts';

export type { LogLine } from './log-file.ts';

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

/**
 * The lines of a box's log, oldest first. The engine's `notify` hears where some are missing.
 * @throws A3sError `invalid_config` for a box that keeps no log, and what resolveBox throws, on the first step.
 */
export async function* readLogs(engine: Engine, query: string, options: LogOptions): AsyncGenerator<LogLine> {
  const record = await findBox(engine, query);
  const settings = settingsOf(record);
  if (settings.log_driver === 'none') {
    throw new A3sError('invalid_config', 'configured logging driver does not support reading');
  }
  const running = new RunWatch(engine.layout, record);
  const path = boxPaths(record.box_dir).jsonLog;
  const files = new LogFiles(path, maxFiles(settings.log_options));
  let changes: FileChanges | null = null;
  let place = await begin(files, running, options);
  try {
    while (place !== null) {
      const { file, offset } = place;
      const reader = new LogReader(file, offset, parseLine);
      changes = options.follow ? new FileChanges(path) : null;
      for (;;) {
        // Asked before the read: what was written before the file or the box came to its end is then certain to be read.
        const complete = await files.isComplete(file);
        const mayGrow = !complete && changes !== null && (await running.isUp());
        const past = yield* wantedLines(engine, reader, options);
        if (past || isPast(options.until)) return;
        if (complete) break;
        if (!mayGrow) {
          yield* lastLines(engine, running, reader, options);
          return;
        }
        await changes?.next();
      }
      changes?.close();
      const next = await files.after(file);
      place = next === null ? null : { file: next, offset: 0 };
      await file.close();
    }
  } finally {
    changes?.close();
    await place?.file.close();
  }
}

/** The lines that are there now and within the times; true once one is later than `until`. */
async function* wantedLines(
  engine: Engine,
  reader: LogReader<LogLine>,
  { since, until }: LogOptions,
): AsyncGenerator<LogLine, boolean> {
  for (let lines = await reader.next(); lines !== null; lines = await reader.next()) {
    for (const line of lines) {
      const time = parseRfc3339(line.time) ?? 0n;
      if (until !== undefined && time > until) return true;
      if (since !== undefined && time < since) continue;
      if (line.lost !== undefined) {
        engine.notify(
          `WARNING: lines of the log are missing here, at least ${line.lost}: they could not be written`,
        );
      }
      yield line;
    }
  }
  return false;
}

/** A log that ends with half a line has lost what came after it, unless it is being written. */
async function* lastLines(
  engine: Engine,
  running: RunWatch,
  reader: LogReader<LogLine>,
  options: LogOptions,
): AsyncGenerator<LogLine, void> {
  if (!reader.isTorn || (await running.isUp())) return;
  // The box may have ended since it was read.
  const past = yield* wantedLines(engine, reader, options);
  if (!past && reader.isTorn) {
    engine.notify('WARNING: the log ends in the middle of a line: what came after it could not be written');
  }
}

interface Place {
  file: FileHandle;
  offset: number;
}

/** Where the lines that are wanted begin; null when there is no log, and none is to be waited for. */
async function begin(files: LogFiles, running: RunWatch, options: LogOptions): Promise<Place | null> {
  let file = await whenThere(files, running, options.follow);
  if (file === null) return null;
  let wanted = options.tail ?? Number.POSITIVE_INFINITY;
  for (;;) {
    const { offset, lines } = wanted === Number.POSITIVE_INFINITY ? START : await tailOf(file, wanted);
    wanted -= lines;
    const older: FileHandle | null = wanted > 0 ? await files.before(file) : null;
    if (older === null) return { file, offset };
    await file.close();
    file = older;
  }
}

const START = { offset: 0, lines: 0 };

function isPast(time: bigint | undefined): boolean {
  return time !== undefined && BigInt(Date.now()) * NS_PER_MS > time;
}

/** The file that is written; null when the box has none, and none is to be waited for. */
async function whenThere(files: LogFiles, running: RunWatch, follow: boolean): Promise<FileHandle | null> {
  for (;;) {
    const mayCome = follow && (await running.isUp());
    const file = await files.newest();
    if (file !== null || !mayCome) return file;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
