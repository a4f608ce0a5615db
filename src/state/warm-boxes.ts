/**
 * Warm boxes on disk: monitors whose VM is up and that wait for the command whose box they are to be (docs/decisions/0010-pool.md).
 *
 * Each has a box's directory and no record. What keeps the directory from being a leftover is the mark in it, which names the
 * monitor: it counts as long as that lives. What offers the box to commands is a file in `pool/`, there from when the box is
 * warm until somebody has taken it.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { namesIn } from './directory.ts';
import { boxPaths, type Layout } from './layout.ts';
import { isAlive, processMark } from './processes.ts';

const OFFER = /^[0-9a-f]{12}$/;
const MARK = /^(\d+)-(\d+)$/;

/** A warm box that waits, and what it is fit for. */
export interface Offer {
  shortId: string;
  /** Boxes of an equal fitness may be run in it. */
  fitness: string;
}

/** Makes the directory this process's, before anything else is in it. */
export function markWarm(boxDir: string): void {
  mkdirSync(boxDir, { recursive: true, mode: 0o700 });
  writeFileSync(boxPaths(boxDir).warmMark, processMark(), { mode: 0o600 });
}

/** The box has a record now, which says whose it is. */
export function unmarkWarm(boxDir: string): void {
  rmSync(boxPaths(boxDir).warmMark, { force: true });
}

/** True for the directory of a warm box whose monitor lives. */
export function isWarm(boxDir: string): boolean {
  let mark: string;
  try {
    mark = readFileSync(boxPaths(boxDir).warmMark, 'utf8');
  } catch {
    return false;
  }
  const [, pid, start] = MARK.exec(mark) ?? [];
  return pid !== undefined && isAlive(Number(pid), Number(start));
}

/** Tells commands of a warm box. */
export function makeOffer(layout: Layout, { shortId, fitness }: Offer): void {
  mkdirSync(layout.poolDir, { recursive: true, mode: 0o700 });
  const file = join(layout.poolDir, shortId);
  writeFileSync(`${file}.tmp`, fitness, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

export function withdrawOffer(layout: Layout, shortId: string): void {
  const file = join(layout.poolDir, shortId);
  rmSync(file, { force: true });
  rmSync(`${file}.tmp`, { force: true });
}

/** What `A3S_BOX_POOL` says: how many boxes to keep warm of whatever is run, 0 for using none; undefined when it says nothing. */
export function poolSize(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = env['A3S_BOX_POOL'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** True when a `run` may find a warm box; costs one look at a directory. */
export function mayBeWarm(layout: Layout, env?: NodeJS.ProcessEnv): boolean {
  return poolSize(env) !== 0 && namesIn(layout.poolDir).some((name) => OFFER.test(name));
}

/** Short IDs of the warm boxes with this fitness; each may be taken, or gone, by now. */
export function offersFor(layout: Layout, fitness: string): string[] {
  return namesIn(layout.poolDir).filter((name) => OFFER.test(name) && fitnessOf(layout, name) === fitness);
}

function fitnessOf(layout: Layout, shortId: string): string | null {
  try {
    return readFileSync(join(layout.poolDir, shortId), 'utf8');
  } catch {
    return null;
  }
}
