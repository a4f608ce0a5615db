/** Monitors that are on their way before it is known what exactly they will run. */
import { readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';

import { isObject, objectOr } from '../json.ts';
import { type SpawnedMonitor, spawnMonitor } from '../runtime/spawn-monitor.ts';
import { newBoxId, type BoxId } from '../state/ids.ts';
import { boxDirectory, type Layout } from '../state/layout.ts';
import { IDLE_STATUSES } from '../state/record.ts';

/** An identity for a box that is about to be made, and the monitor that will run it. */
export interface ReservedBox {
  id: BoxId;
  /** The connection to it. */
  monitor: Socket;
}

/** The monitor of a box that is there. */
export interface ReservedStart {
  shortId: string;
  monitor: SpawnedMonitor;
}

/** What the command has sent on its way before its program was loaded. */
export interface Reserved {
  run?: ReservedBox | undefined;
  start?: ReservedStart | undefined;
}

/** A larger file takes longer to read than is won. */
const MAX_RECORDS_BYTES = 256 * 1024;
const SHORT_ID = /^[0-9a-f]{12}$/;

/** Begun as early as can be, because a monitor takes 30 ms to load. Nothing is written; an unused one ends with this process. */
export function reserveBox(layout: Layout): ReservedBox {
  const id = newBoxId();
  return { id, monitor: spawnMonitor(boxDirectory(layout, id.shortId)).connection };
}

/**
 * As early, the monitor of a box that is there and does not run, if `word` is the whole of its name or ID. It is for `startIdle` to find
 * out what the word really means, and to take the monitor if it is that box's.
 * @throws what reading boxes.json throws.
 */
export function reserveStart(layout: Layout, word: string): ReservedStart | undefined {
  if (statSync(layout.boxesFile).size > MAX_RECORDS_BYTES) return undefined;
  const file: unknown = JSON.parse(readFileSync(layout.boxesFile, 'utf8'));
  const { boxes } = objectOr(file);
  if (!Array.isArray(boxes)) return undefined;
  const records = boxes.filter((box: unknown) => isObject(box));
  const record =
    records.find(({ name }) => name === word) ??
    records.find(({ id, short_id }) => id === word || short_id === word);
  const { short_id: shortId, status } = record ?? {};
  if (typeof shortId !== 'string' || !SHORT_ID.test(shortId) || !IDLE_STATUSES.includes(status))
    return undefined;
  return { shortId, monitor: spawnMonitor(boxDirectory(layout, shortId)) };
}
