/** boxes.json: read at any time, changed only under its lock, replaced whole. */
import { existsSync, readFileSync, renameSync } from 'node:fs';

import { A3sError, hasErrno } from '../errors.ts';
import { boxEvents } from './box-events.ts';
import { placeRecords } from './box-place.ts';
import { CorruptBoxesFile, formatBoxes, parseBoxes } from './boxes-format.ts';
import { appendEvents } from './journal.ts';
import { replaceFile } from './replace-file.ts';
import type { Layout } from './layout.ts';
import { withLock } from './lock.ts';
import type { BoxRecord } from './record.ts';

/**
 * Longer than any queue for it takes: a hundred monitors whose boxes end at once, each a third of a second for its flush on a busy disk. A
 * holder that dies gives the lock back, so that only one that stands still is waited for so long.
 */
const LOCK_TIMEOUT_MS = 120_000;

/** Where warnings for a person go. */
export type Notify = (line: string) => void;

/**
 * The records as they stand now; none when there is no file yet. Takes no lock: the file is only ever replaced whole.
 * A corrupt file is set aside with a warning to `notify`, and counts as empty; without `notify` it is left where it is.
 * @throws A3sError `state_corrupt` (without `notify`), `state_newer`, `io`.
 */
export async function readBoxes(layout: Layout, notify?: Notify): Promise<BoxRecord[]> {
  try {
    return parseHere(layout, readText(layout.boxesFile));
  } catch (error) {
    if (!(error instanceof CorruptBoxesFile)) throw error;
    if (notify === undefined) throw corrupt(layout, error);
  }
  // Another process may have set it aside, or replaced it, since: look again under the lock.
  return updateBoxes(layout, (boxes) => boxes, notify);
}

/**
 * Changes the records under the lock: `change` works on the list in place. The file is written when the list differs
 * afterwards. When `change` throws, nothing is written.
 * @returns what `change` returned.
 * @throws what readBoxes throws, A3sError `timeout` when the lock stays taken, `io` when the file cannot be written.
 */
export async function updateBoxes<T>(
  layout: Layout,
  change: (boxes: BoxRecord[]) => T | Promise<T>,
  notify?: Notify,
): Promise<T> {
  return withLock(
    layout.boxesLock,
    async () => {
      const before = readText(layout.boxesFile);
      const boxes = parseOrSetAside(layout, before, notify);
      const result = await change(boxes);
      const after = formatBoxes(boxes);
      if (after !== before) {
        // First: an event that is told twice after a crash does less harm than one that is lost.
        appendEvents(layout, boxEvents(before, after));
        await writeBoxes(layout, after);
      }
      return result;
    },
    { timeoutMs: LOCK_TIMEOUT_MS },
  );
}

const EMPTY = formatBoxes([]);

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return EMPTY;
    throw ioError(`cannot read ${file}`, error);
  }
}

/** The records in the text, with paths of this layout. */
function parseHere(layout: Layout, text: string): BoxRecord[] {
  const boxes = parseBoxes(text);
  placeRecords(layout, boxes);
  return boxes;
}

async function writeBoxes(layout: Layout, text: string): Promise<void> {
  // A record that would be refused when read must not get in.
  parseBoxes(text);
  try {
    await replaceFile(layout.boxesFile, `${layout.boxesFile}.tmp`, text);
  } catch (error) {
    throw ioError(`cannot write ${layout.boxesFile}`, error);
  }
}

/** Call it under the lock. */
function parseOrSetAside(layout: Layout, text: string, notify: Notify | undefined): BoxRecord[] {
  try {
    return parseHere(layout, text);
  } catch (error) {
    if (!(error instanceof CorruptBoxesFile)) throw error;
    if (notify === undefined) throw corrupt(layout, error);
    const aside = freeName(`${layout.boxesFile}.corrupt-${new Date().toISOString().replaceAll(':', '')}`);
    renameSync(layout.boxesFile, aside);
    notify(
      `Warning: ${layout.boxesFile} is damaged (${error.message}) and was set aside as ${aside}. ` +
        'Boxes that only it knows are not listed any more; their directories and VMs are kept until you remove that file.',
    );
    return [];
  }
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let n = 2; existsSync(name); n += 1) name = `${wanted}-${n}`;
  return name;
}

function corrupt(layout: Layout, cause: CorruptBoxesFile): A3sError {
  return new A3sError('state_corrupt', `${layout.boxesFile} is damaged: ${cause.message}`, {
    hint: 'a3s-box ps sets it aside and goes on without it',
    cause,
  });
}

function ioError(what: string, cause: unknown): A3sError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new A3sError('io', `${what}: ${reason}`, { cause });
}
