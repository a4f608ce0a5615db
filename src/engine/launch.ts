/** Handing a claimed box to its monitor, and taking it back when that fails. */
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';

import { A3sError } from '../errors.ts';
import type { Rootfs } from '../images/rootfs.ts';
import { launchBox } from '../runtime/launch.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import { deleteBox } from '../state/box-updates.ts';
import { updateBoxes } from '../state/boxes-file.ts';
import { boxPaths } from '../state/layout.ts';
import { killBoxProcesses } from '../state/processes.ts';
import type { BoxRecord } from '../state/record.ts';
import { tellAttached, tellBox } from './box-tell.ts';
import type { AttachOptions, Engine } from './types.ts';

/**
 * Launches a box that this process has claimed. A monitor that fails puts the record back itself; when it died before it
 * could, that is done here, before `started` rejects: as launchBox says, or with `no_such_box` for one that was removed meanwhile.
 */
export function launch(
  engine: Engine,
  monitor: Socket,
  { record, rootfs }: { record: BoxRecord; rootfs: Rootfs },
  attach: AttachOptions,
): ProcessSession {
  if (attach.output) tellBox(engine.layout, record, 'attach');
  const session = launchBox(monitor, engine.layout, record, { ...attach, rootfs });
  const started = session.started.catch(async (error: unknown) => {
    const isThere = await unclaim(engine, record);
    // Whatever went wrong then, it was somebody's removal of the box.
    if (!isThere && !record.auto_remove) {
      throw new A3sError('no_such_box', `No such container: ${record.name}`, { cause: error });
    }
    throw error;
  });
  // A caller may look at `result` alone.
  started.catch(() => {});
  const launched: ProcessSession = {
    started,
    stdin: session.stdin,
    stdout: session.stdout,
    stderr: session.stderr,
    result: session.result,
    resize: (rows, cols) => session.resize(rows, cols),
    signal: (number) => session.signal(number),
    detach: () => session.detach(),
  };
  return attach.output ? tellAttached(engine.layout, record, launched) : launched;
}

/** @returns whether there still is such a box. */
async function unclaim(engine: Engine, { id, box_dir, auto_remove }: BoxRecord): Promise<boolean> {
  const found = await updateBoxes(engine.layout, async (boxes) => {
    const record = boxes.find((box) => box.id === id);
    if (record === undefined) return 'gone';
    const ours = record.status === 'starting' || record.status === 'restarting';
    if (!ours || record.pid !== process.pid) return 'theirs';
    await killBoxProcesses(box_dir);
    // Before the record says so: an idle box never has sockets.
    rmSync(dirname(boxPaths(box_dir).execSocket), { recursive: true, force: true });
    record.status = record.started_at === null ? 'created' : 'stopped';
    record.pid = null;
    record.pid_start = null;
    return 'ours';
  });
  if (found === 'ours' && auto_remove) await deleteBox(engine.layout, id);
  return found !== 'gone';
}
