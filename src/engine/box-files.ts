/** A box's files, whether it runs or not: one that does not gets a VM without its workload for the while. */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { A3sError } from '../errors.ts';
import { holdBox, type BoxHold } from '../runtime/control-client.ts';
import { updateBox } from '../state/box-updates.ts';
import type { BoxRecord } from '../state/record.ts';
import { findSettledBox, waitForEnd } from './settle.ts';
import { claimIdle } from './start.ts';
import type { Engine } from './types.ts';

/** While a policy starts a box: until it runs, or has ended again. */
const STARTING_POLL_MS = 50;
/** Longer than the boot of a template on a slow host. */
const STARTING_MS = 120_000;

export interface FilesUse {
  /** The work may change files: a box that never ran keeps them. */
  writes: boolean;
  /** The work only looks and tells nobody before it is done: it is begun anew when the box ends in the middle and its policy starts it again. */
  repeats?: boolean;
}

/**
 * Does work on a box whose agent answers. One that waits for its restart waits on until the work is done, unless it is told to end.
 * @throws A3sError `box_paused`, `timeout`, what resolveBox throws and what the start of a VM does; what `work` throws.
 */
export async function withBoxFiles<T>(
  engine: Engine,
  query: string,
  { writes, repeats = false }: FilesUse,
  work: (record: BoxRecord) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + STARTING_MS;
  for (;;) {
    const found = await findSettledBox(engine, query);
    if (found.status === 'paused') {
      throw new A3sError('box_paused', `Container ${query} is paused, unpause the container first`);
    }
    if (found.status === 'running') {
      try {
        return await work(found);
      } catch (error) {
        if (!(await endedToRestart(engine, found, error, repeats)) || performance.now() > deadline)
          throw error;
        continue;
      }
    }
    if (found.status === 'restarting') {
      const done = await betweenRuns(engine, found, work);
      if (done !== null) return done.value;
      if (performance.now() > deadline) throw startsTooLong(found);
      await sleep(STARTING_POLL_MS);
      continue;
    }
    const record = await claimIdle(engine, found.id);
    // Null: another command was quicker; look again.
    if (record !== null) return whileClaimed(engine, { found, record, writes }, work);
  }
}

/** True for a box that its policy starts again, and that ended before it was asked for anything, or in the middle of what `repeats`. */
async function endedToRestart(
  engine: Engine,
  found: BoxRecord,
  error: unknown,
  repeats: boolean,
): Promise<boolean> {
  if (!(error instanceof A3sError)) return false;
  const isUnasked = error.code === 'box_not_running' || error.stage === 'request';
  if (!isUnasked && !(repeats && error.code === 'io')) return false;
  const now = await waitForEnd(engine, found);
  return now !== null && (now.status === 'restarting' || now.started_at !== found.started_at);
}

/** Null when the box's monitor is starting it just then. */
async function betweenRuns<T>(
  engine: Engine,
  record: BoxRecord,
  work: (record: BoxRecord) => Promise<T>,
): Promise<{ value: T } | null> {
  using hold = await holdBox(record);
  return hold === null ? null : { value: await withVm(engine, record, hold, work) };
}

async function whileClaimed<T>(
  engine: Engine,
  { found, record, writes }: { found: BoxRecord; record: BoxRecord; writes: boolean },
  work: (record: BoxRecord) => Promise<T>,
): Promise<T> {
  let written = false;
  try {
    return await withVm(engine, record, null, (ready) => {
      written = writes;
      return work(ready);
    });
  } finally {
    await updateBox(engine.layout, record.id, (box) => {
      box.status = found.status;
      box.pid = null;
      box.pid_start = null;
      if (written) box.has_writes = true;
    });
  }
}

async function withVm<T>(
  engine: Engine,
  record: BoxRecord,
  hold: BoxHold | null,
  work: (record: BoxRecord) => Promise<T>,
): Promise<T> {
  mkdirSync(record.box_dir, { recursive: true, mode: 0o700 });
  // None of it is needed for a box that runs.
  const [{ requireImage }, { ensureRootfs }, { openServiceVm }] = await Promise.all([
    import('./images.ts'),
    import('../images/rootfs.ts'),
    import('../runtime/service-vm.ts'),
  ]);
  const image = await requireImage(engine, record.image_id);
  const rootfs = await ensureRootfs(engine.layout, image, engine.bundleDir);
  const vm = await openServiceVm(engine.layout, record, rootfs, hold);
  let result;
  try {
    result = await work(record);
  } finally {
    await vm.close();
  }
  return result;
}

function startsTooLong({ name }: BoxRecord): A3sError {
  return new A3sError('timeout', `container ${name} is still restarting after ${STARTING_MS / 1000} s`, {
    hint: `remove it with: a3s-box rm -f ${name}`,
  });
}
