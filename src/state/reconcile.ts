/**
 * Makes the records agree with what really runs. Every command calls it before it looks at boxes.
 *
 * A box that lost its monitor and has a restart policy is left as `restarting` without a PID: whoever can starts it again.
 *
 * The check costs one read of boxes.json and a few system calls a box, takes no lock and writes nothing. Only when
 * something looks wrong it is decided again, under the lock and with fresh records, because a look without the lock may
 * have caught another command half-way. That reads /proc a few times, however many boxes are lost.
 */
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import { removeBoxDirectory } from './box-updates.ts';
import { endEvents } from './box-events.ts';
import { type Notify, readBoxes, updateBoxes } from './boxes-file.ts';
import { hasErrno } from '../errors.ts';
import { boxDirectory, boxPaths, type Layout } from './layout.ts';
import { appendEvents } from './journal.ts';
import { findBoxProcesses, isAlive, killBoxProcesses } from './processes.ts';
import { restarts } from './restart-policy.ts';
import type { BoxRecord } from './record.ts';
import { sweepDeadBuilds } from './template-builds.ts';
import { dropAnonymous, emptyTrash } from './volumes.ts';
import { isWarm, withdrawOffer } from './warm-boxes.ts';

/** What a workload counts as having ended with when its VM was lost: killed, as in containerd. */
const LOST_EXIT_CODE = 137;
const BOX_DIRECTORY = /^[0-9a-f]{12}$/;
const ACTIVE: ReadonlySet<string> = new Set(['starting', 'running', 'paused', 'restarting']);

/**
 * The records after repair. Safe to run at any time beside other commands and live monitors.
 * @throws what readBoxes and updateBoxes throw; A3sError `timeout` when a process survives SIGKILL.
 */
export async function reconcile(layout: Layout, notify?: Notify): Promise<BoxRecord[]> {
  await sweepDeadBuilds(layout);
  const boxes = await readBoxes(layout, notify);
  const sound = !boxes.some(hasLostOwner);
  // The records were read first: a box made since has its record, but looks like an orphan until we look again.
  if (sound && orphanDirectories(layout, boxes).length === 0) return boxes;
  return repair(layout, notify);
}

async function repair(layout: Layout, notify: Notify | undefined): Promise<BoxRecord[]> {
  const removed: string[] = [];
  const orphans: string[] = [];
  const boxes = await updateBoxes(
    layout,
    async (fresh) => {
      const lost = fresh.filter(hasLostOwner);
      await killBoxProcesses(...lost.map((box) => boxDirectory(layout, box.short_id)));
      for (const box of lost) {
        const directory = boxDirectory(layout, box.short_id);
        // Before the record says so: an idle box never has sockets.
        rmSync(dirname(boxPaths(directory).execSocket), { recursive: true, force: true });
        if (box.auto_remove) {
          if (box.status !== 'starting') {
            const end = { exitCode: LOST_EXIT_CODE, finishedAt: new Date().toISOString() };
            appendEvents(layout, endEvents(box, end));
          }
          fresh.splice(fresh.indexOf(box), 1);
          removed.push(box.short_id);
          dropAnonymous(layout, box, fresh);
        } else markLost(box);
      }
      orphans.push(...orphanDirectories(layout, fresh).filter((id) => !removed.includes(id)));
      return fresh;
    },
    notify,
  );
  for (const shortId of removed) removeBoxDirectory(layout, shortId);
  if (removed.length > 0) emptyTrash(layout);
  // Records are written before directories are made, and no ID comes back: what had no record then has none now.
  if (orphans.length > 0 && !hasSetAsideFile(layout)) await removeOrphans(layout, orphans);
  return boxes;
}

/** True when a box is said to run and the process that answers for it is gone. */
function hasLostOwner(box: BoxRecord): boolean {
  // Nobody owns a box that waits for a command to start it again.
  if (box.status === 'restarting' && box.pid === null) return false;
  return ACTIVE.has(box.status) && !isAlive(box.pid, box.pid_start);
}

function markLost(box: BoxRecord): void {
  const { pid } = box;
  box.pid = null;
  box.pid_start = null;
  if (box.status === 'starting') {
    box.status = box.started_at === null ? 'created' : 'stopped';
    box.error = `the command that was starting it (process ${pid}) was killed`;
    return;
  }
  // That restart has been counted, and what ended before it is known.
  if (box.status === 'restarting') {
    if (box.stopped_by_user) box.status = 'stopped';
    return;
  }
  box.exit_code = LOST_EXIT_CODE;
  box.finished_at = new Date().toISOString();
  if (restarts({ ...box, exit_code: LOST_EXIT_CODE })) {
    box.status = 'restarting';
    box.restart_count += 1;
  } else box.status = box.stopped_by_user ? 'stopped' : 'dead';
  if (box.health !== null) box.health = 'unhealthy';
  box.error = `its monitor (process ${pid}) vanished, and what was left of its VM was killed`;
}

function orphanDirectories(layout: Layout, boxes: readonly BoxRecord[]): string[] {
  let names: string[];
  try {
    names = readdirSync(layout.boxesDir);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
  const known = new Set(boxes.map((box) => box.short_id));
  return names.filter(
    (name) => BOX_DIRECTORY.test(name) && !known.has(name) && !isWarm(boxDirectory(layout, name)),
  );
}

/** A damaged boxes.json that was set aside may be the only trace of boxes whose directories are still there. */
function hasSetAsideFile(layout: Layout): boolean {
  const prefix = `${basename(layout.boxesFile)}.corrupt-`;
  return readdirSync(layout.home).some((name) => name.startsWith(prefix));
}

/**
 * Removes what is left of boxes without a record. A monitor kills its VM before it removes its own box, and delivers the
 * last output after that: one without a VM is on its last steps and cleans up behind itself.
 */
async function removeOrphans(layout: Layout, shortIds: readonly string[]): Promise<void> {
  const directoryOf = (shortId: string): string => boxDirectory(layout, shortId);
  const byBox = Map.groupBy(findBoxProcesses(...shortIds.map(directoryOf)), ({ boxDir }) => boxDir);
  const left = shortIds.filter((shortId) => {
    const processes = byBox.get(directoryOf(shortId));
    return processes === undefined || processes.some(({ role }) => role === 'vm');
  });
  await killBoxProcesses(...left.map(directoryOf));
  for (const shortId of left) {
    withdrawOffer(layout, shortId);
    removeBoxDirectory(layout, shortId);
  }
}
