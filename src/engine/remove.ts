/** `rm`: a box and everything of it. */
import { A3sError } from '../errors.ts';
import { signalBox } from '../runtime/control-client.ts';
import { isDiskFull, removeBoxDirectory, takeBox } from '../state/box-updates.ts';
import { readBoxes } from '../state/boxes-file.ts';
import { killBoxProcesses } from '../state/processes.ts';
import { reconcile } from '../state/reconcile.ts';
import type { BoxRecord } from '../state/record.ts';
import { resolveBox } from '../state/resolve.ts';
import { tellSignal } from './box-tell.ts';
import { isUp } from './engine.ts';
import type { Engine } from './types.ts';

const SIGKILL = 9;
/** A monitor that does not end its box within this is killed with it. */
const KILL_TIMEOUT_MS = 10_000;

export interface RemoveOptions {
  /** A box that runs is killed first. */
  force: boolean;
  /** Its anonymous volumes go, too; those of a box with `--rm` always do. */
  volumes: boolean;
}

/**
 * Removes a box: processes, record, directory. With `force` one that runs is killed first.
 * @throws A3sError `box_running` without `force`, and what resolveBox throws.
 */
export async function removeBox(engine: Engine, query: string, options: RemoveOptions): Promise<void> {
  const found = await findRemovable(engine, query);
  if (options.force && isActive(found)) {
    if (isUp(found)) tellSignal(engine.layout, found, SIGKILL);
    await end(found);
  }
  await takeBox(
    engine.layout,
    async (boxes) => {
      const index = boxes.findIndex((box) => box.id === found.id);
      const fresh = boxes[index];
      // `--rm`, or another command, was quicker.
      if (fresh === undefined) return undefined;
      if (isActive(fresh)) {
        if (!options.force) throw stillRuns(fresh);
        await killBoxProcesses(fresh.box_dir);
      }
      boxes.splice(index, 1);
      return fresh;
    },
    { volumes: options.volumes, notify: engine.notify },
  );
  removeBoxDirectory(engine.layout, found.short_id);
}

/** A box that waits for its restart is not started first. On a full disk no reconciliation can be written, but what it is about can still be removed. */
async function findRemovable(engine: Engine, query: string): Promise<BoxRecord> {
  try {
    return resolveBox(await reconcile(engine.layout, engine.notify), query);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return resolveBox(await readBoxes(engine.layout, engine.notify), query);
  }
}

function isActive(record: BoxRecord): boolean {
  return isUp(record) || record.status === 'starting';
}

/** The polite way first: whoever is attached learns how the workload ended. */
async function end(record: BoxRecord): Promise<void> {
  if (!isUp(record)) return;
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, KILL_TIMEOUT_MS);
  });
  // Whatever goes wrong here, the box is killed from outside next.
  await Promise.race([signalBox(record, SIGKILL).catch(() => {}), tooLong]);
  clearTimeout(timer);
}

function stillRuns(record: BoxRecord): A3sError {
  const what =
    record.status === 'paused'
      ? 'container is paused and must be unpaused first'
      : `container is ${record.status === 'restarting' ? 'restarting' : 'running'}: stop the container before removing or force remove`;
  return new A3sError('box_running', `cannot remove container "/${record.name}": ${what}`);
}
