/** A state directory with stopped boxes in it, made through the state layer and never run. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { updateBoxes } from '../src/state/boxes-file.ts';
import { boxPaths, layoutOf } from '../src/state/layout.ts';
import { newBoxId } from '../src/state/ids.ts';
import type { BoxRecord } from '../src/state/record.ts';

/** Fills `home` with `count` copies of `model`, each stopped and with a directory of its own. */
export async function makeStoppedBoxes(home: string, model: BoxRecord, count: number): Promise<void> {
  const layout = layoutOf(home);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const records = Array.from({ length: count }, (): BoxRecord => {
    const { id, shortId } = newBoxId();
    const paths = boxPaths(join(layout.boxesDir, shortId));
    return {
      ...model,
      id,
      short_id: shortId,
      name: `stopped_${shortId}`,
      hostname: shortId,
      status: 'stopped',
      pid: null,
      pid_start: null,
      exit_code: 0,
      started_at: model.created_at,
      finished_at: model.created_at,
      has_writes: true,
      box_dir: paths.dir,
      socket_path: paths.agentSocket,
      exec_socket_path: paths.execSocket,
      console_log: paths.consoleLog,
    };
  });
  await updateBoxes(layout, (boxes) => void boxes.push(...records));
  for (const record of records) mkdirSync(record.box_dir, { recursive: true, mode: 0o700 });
}
