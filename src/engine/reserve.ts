/** An identity for a box that is about to be made, and the monitor that will run it. */
import type { Socket } from 'node:net';

import { spawnMonitor } from '../runtime/spawn-monitor.ts';
import { newBoxId, type BoxId } from '../state/ids.ts';
import { boxDirectory, type Layout } from '../state/layout.ts';

export interface ReservedBox {
  id: BoxId;
  /** The connection to it. */
  monitor: Socket;
}

/** Begun as early as can be, because a monitor takes 30 ms to load. Nothing is written; an unused one ends with this process. */
export function reserveBox(layout: Layout): ReservedBox {
  const id = newBoxId();
  return { id, monitor: spawnMonitor(boxDirectory(layout, id.shortId)) };
}
