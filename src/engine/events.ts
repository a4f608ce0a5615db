/** `events`: the journal, read and followed. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

import { A3sError } from '../errors.ts';
import { type DatedEvent, JOURNAL_FILES, parseEvent } from '../state/journal.ts';
import { FileChanges } from './file-changes.ts';
import { LogReader } from './log-file.ts';
import { LogFiles } from './log-files.ts';
import { parseEventFilters } from './event-filters.ts';
import type { Engine } from './types.ts';

export type { DatedEvent } from '../state/journal.ts';

const NS_PER_MS = 1_000_000n;

export interface EventOptions {
  /** Nanoseconds since 1970, inclusive; undefined for from now on. */
  since: bigint | undefined;
  /** The reading ends there; undefined for never. */
  until: bigint | undefined;
  /** `key=value`, as `--filter` takes them. */
  filters: readonly string[];
}

/**
 * Events, oldest first, and new ones as they happen.
 * @throws A3sError `usage` for a bad filter.
 */
export async function* readEvents(engine: Engine, options: EventOptions): AsyncGenerator<DatedEvent> {
  const matches = parseEventFilters(options.filters);
  const { until } = options;
  const since = options.since ?? (until === undefined ? now() : 0n);
  const path = engine.layout.eventsFile;
  ensureFile(path);
  const files = new LogFiles(path, JOURNAL_FILES);
  let file = await files.newest();
  if (file === null) return;
  const older = await files.before(file);
  if (older !== null) {
    await file.close();
    file = older;
  }
  let changes = new FileChanges(path);
  try {
    for (let reader = new LogReader(file, 0, parseEvent); ;) {
      const complete = await files.isComplete(file);
      // Asked before the read: what happened until then is then certain to be read.
      const over = until !== undefined && now() > until;
      for (let events = await reader.next(); events !== null; events = await reader.next()) {
        for (const event of events) {
          const inTime = event.time >= since && (until === undefined || event.time <= until);
          if (inTime && matches(event)) yield event;
        }
      }
      if (!complete) {
        if (over) return;
        await changes.next();
        continue;
      }
      const next = await files.after(file);
      if (next === null) return;
      await file.close();
      file = next;
      reader = new LogReader(file, 0, parseEvent);
      changes.close();
      changes = new FileChanges(path);
    }
  } finally {
    changes.close();
    await file.close();
  }
}

function now(): bigint {
  return BigInt(Date.now()) * NS_PER_MS;
}

/** Followers of a journal that has no event yet must see the first. */
function ensureFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    throw new A3sError(
      'io',
      `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}
