/** An identity for a box that is about to be made, and the monitor that will run it. */
import { spawnMonitor, type IdleMonitor } from '../runtime/launch.ts';
import { newBoxId, type BoxId } from '../state/ids.ts';
import { boxDirectory, type Layout } from '../state/layout.ts';

export interface ReservedBox {
  id: BoxId;
  monitor: IdleMonitor;
}

/** Begun as early as can be, because a monitor takes 30 ms to load. Nothing is written; an unused one ends with this process. */
export function reserveBox(layout: Layout): ReservedBox {
  const id = newBoxId();
  return { id, monitor: spawnMonitor(boxDirectory(layout, id.shortId)) };
}
