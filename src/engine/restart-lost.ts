/** Boxes that lost their monitor and have a restart policy: started again by the command that found them. */
import { ensureRootfs } from '../images/rootfs.ts';
import { spawnMonitor } from '../runtime/spawn-monitor.ts';
import { readBoxes, updateBoxes } from '../state/boxes-file.ts';
import type { BoxRecord } from '../state/record.ts';
import { claim } from './create.ts';
import { requireImage } from './images.ts';
import { launch } from './launch.ts';
import type { Engine } from './types.ts';

/**
 * Starts the boxes, all at once, and waits until they run. One that does not come up is left stopped, with a warning: its own
 * monitor would try again, but a command has to come to an end.
 * @returns every box as it is now.
 */
export async function restartLost(engine: Engine, boxes: readonly BoxRecord[]): Promise<BoxRecord[]> {
  await Promise.all(
    boxes.map((box) =>
      restart(engine, box.id).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        engine.notify(`Warning: container ${box.name} could not be restarted: ${why}`);
      }),
    ),
  );
  return readBoxes(engine.layout, engine.notify);
}

async function restart(engine: Engine, id: string): Promise<void> {
  const record = await claimWaiting(engine, id);
  // Another command was quicker.
  if (record === null) return;
  try {
    const image = await requireImage(engine, record.image_id);
    const rootfs = await ensureRootfs(engine.layout, image, engine.bundleDir);
    const { connection } = spawnMonitor(record.box_dir);
    const session = launch(engine, connection, { record, rootfs }, { output: false, stdin: false });
    await session.started;
    session.detach();
  } catch (error) {
    await giveUp(engine, id);
    throw error;
  }
}

function claimWaiting(engine: Engine, id: string): Promise<BoxRecord | null> {
  return updateBoxes(
    engine.layout,
    (boxes) => {
      const record = boxes.find((box) => box.id === id);
      if (record?.status !== 'restarting' || record.pid !== null) return null;
      claim(record, 'restarting');
      return record;
    },
    engine.notify,
  );
}

/** What failed before there was a monitor leaves the box to this process. */
async function giveUp(engine: Engine, id: string): Promise<void> {
  await updateBoxes(engine.layout, (boxes) => {
    const record = boxes.find((box) => box.id === id);
    if (record?.status !== 'restarting' || record.pid !== process.pid) return;
    record.status = 'dead';
    record.pid = null;
    record.pid_start = null;
  });
}
