/**
 * The journal of events: one JSON object a line, appended by whoever makes the event happen (commands and monitors). A line is
 * one write at the file's end, so that those of many processes do not mix.
 */
import { closeSync, fstatSync, linkSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';

import { isObject } from '../json.ts';
import { preciseTime } from './clock.ts';
import type { Layout } from './layout.ts';

/** Bytes after which the next file begins; one earlier file is kept: some 50,000 events each. */
const FILE_BYTES = 16 * 1024 * 1024;
/** How many files there are. */
export const JOURNAL_FILES = 2;
const NEWLINE = 10;

const EVENT_TYPES = ['builder', 'container', 'image', 'volume'] as const;

export type EventType = (typeof EVENT_TYPES)[number];

export interface JournalEvent {
  type: EventType;
  /** Docker's word, e.g. `create` or `exec_start: true`. */
  action: string;
  /** The box's or image's ID, the volume's name. */
  id: string;
  attributes: Record<string, string>;
}

/** An event with when it happened, in nanoseconds since 1970. */
export interface DatedEvent extends JournalEvent {
  time: bigint;
}

/** Appends events that happen now. A journal that cannot be written (a full disk) stops nobody. */
export function appendEvents(layout: Layout, events: readonly JournalEvent[]): void {
  if (events.length === 0) return;
  const time = String(BigInt(Math.round(preciseTime() * 1e6)));
  const text = events.map((event) => `${JSON.stringify({ time, ...event })}\n`).join('');
  try {
    const fd = openSync(layout.eventsFile, 'a+', 0o600);
    try {
      writeSync(fd, endsTorn(fd) ? `\n${text}` : text);
      if (fstatSync(fd).size >= FILE_BYTES) rotate(layout.eventsFile);
    } finally {
      closeSync(fd);
    }
  } catch {
    // What the event tells of has happened all the same.
  }
}

/** A full disk took half a line, or whoever wrote it was killed: what comes next begins on a line of its own. */
function endsTorn(fd: number): boolean {
  const last = Buffer.of(NEWLINE);
  const { size } = fstatSync(fd);
  if (size > 0) readSync(fd, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}

/** As a box's log is rotated: `path` is there at any instant. Two that do it at once make one file too short, and lose nothing. */
function rotate(path: string): void {
  const fresh = `${path}.${process.pid}`;
  closeSync(openSync(fresh, 'w', 0o600));
  rmSync(`${path}.1`, { force: true });
  linkSync(path, `${path}.1`);
  renameSync(fresh, path);
}

/** A line of the journal; null when a crash left it damaged. */
export function parseEvent(line: string): DatedEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { time, action, id, attributes } = value;
  const type = EVENT_TYPES.find((each) => each === value['type']);
  if (typeof time !== 'string' || !/^\d{1,19}$/.test(time)) return null;
  if (type === undefined || typeof action !== 'string' || typeof id !== 'string' || !isObject(attributes))
    return null;
  const texts = Object.entries(attributes).map(([name, text]) => [name, String(text)] as const);
  return { time: BigInt(time), type, action, id, attributes: Object.fromEntries(texts) };
}
