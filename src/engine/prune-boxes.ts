/** `container prune`: boxes that do not run. */
import { statSync } from 'node:fs';

import { A3sError } from '../errors.ts';
import { boxPaths } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { tellPrune } from './box-tell.ts';
import { allBoxes, isUp } from './engine.ts';
import { removeBox } from './remove.ts';
import type { Engine } from './types.ts';

export interface PrunedBoxes {
  /** Full IDs. */
  ids: string[];
  /** Bytes that their disks took on the host. */
  bytes: number;
}

const BLOCK = 512;

/** Removes every box that does not run and that `matches`; their anonymous volumes stay, as with `rm` without `-v`. */
export async function pruneBoxes(engine: Engine, matches: (box: BoxRecord) => boolean): Promise<PrunedBoxes> {
  const pruned: PrunedBoxes = { ids: [], bytes: 0 };
  const boxes = await allBoxes(engine);
  for (const box of boxes.filter((each) => !isUp(each) && each.status !== 'starting' && matches(each))) {
    const bytes = diskBytes(box);
    try {
      await removeBox(engine, box.id, { force: false, volumes: false });
    } catch (error) {
      // Started, or removed by somebody else, meanwhile.
      const spared = error instanceof A3sError && ['box_running', 'no_such_box'].includes(error.code);
      if (!spared) throw error;
      continue;
    }
    pruned.ids.push(box.id);
    pruned.bytes += bytes;
  }
  tellPrune(engine.layout, 'container', pruned.bytes);
  return pruned;
}

function diskBytes({ box_dir }: BoxRecord): number {
  return (statSync(boxPaths(box_dir).scratch, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK;
}
