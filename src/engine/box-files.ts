/** A box's files, whether it runs or not: one that does not gets a VM without its workload for the while. */
import { mkdirSync } from 'node:fs';

import { A3sError } from '../errors.ts';
import { updateBox } from '../state/box-updates.ts';
import type { BoxRecord } from '../state/record.ts';
import { findSettledBox } from './settle.ts';
import { claimIdle } from './start.ts';
import type { Engine } from './types.ts';

export interface FilesUse {
  /** The work may change files: a box that never ran keeps them. */
  writes: boolean;
}

/**
 * Does work on a box whose agent answers.
 * @throws A3sError `box_paused`, what resolveBox throws and what the start of a VM does; what `work` throws.
 */
export async function withBoxFiles<T>(
  engine: Engine,
  query: string,
  { writes }: FilesUse,
  work: (record: BoxRecord) => Promise<T>,
): Promise<T> {
  for (;;) {
    const found = await findSettledBox(engine, query);
    if (found.status === 'paused') {
      throw new A3sError('box_paused', `Container ${query} is paused, unpause the container first`);
    }
    if (found.status === 'running') return work(found);
    const record = await claimIdle(engine, found.id);
    // Null: another command was quicker; look again.
    if (record !== null) return withVm(engine, { found, record, writes }, work);
  }
}

async function withVm<T>(
  engine: Engine,
  { found, record, writes }: { found: BoxRecord; record: BoxRecord; writes: boolean },
  work: (record: BoxRecord) => Promise<T>,
): Promise<T> {
  let written = false;
  try {
    mkdirSync(record.box_dir, { recursive: true, mode: 0o700 });
    // None of it is needed for a box that runs.
    const [{ requireImage }, { ensureRootfs }, { openServiceVm }] = await Promise.all([
      import('./images.ts'),
      import('../images/rootfs.ts'),
      import('../runtime/service-vm.ts'),
    ]);
    const image = await requireImage(engine, record.image_id);
    const rootfs = await ensureRootfs(engine.layout, image, engine.bundleDir);
    const vm = await openServiceVm(engine.layout, record, rootfs);
    let result;
    try {
      written = writes;
      result = await work(record);
    } finally {
      await vm.close();
    }
    return result;
  } finally {
    await updateBox(engine.layout, record.id, (box) => {
      box.status = found.status;
      box.pid = null;
      box.pid_start = null;
      if (written) box.has_writes = true;
    });
  }
}
