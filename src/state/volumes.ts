/**
 * Volumes on disk. A volume is there when its record is: the directory is made before the record and goes after it, so a
 * directory without a record is litter, whenever a crash has left it. Changes are made under the lock of boxes.json,
 * because boxes hold volumes: a volume that is being removed cannot be taken by a new box.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { A3sError, hasErrno } from '../errors.ts';
import { randomBytes } from '../random.ts';
import { namesIn, removeTree } from './directory.ts';
import { volumeEvent } from './box-events.ts';
import { appendEvents } from './journal.ts';
import { type Layout, volumePaths, volumeRecordsDir } from './layout.ts';
import type { BoxRecord } from './record.ts';
import { VOLUME_NAME_PATTERN } from './record-check.ts';
import { replaceFile } from './replace-file.ts';
import { parseVolumeRecord, type VolumeRecord } from './volume-record.ts';

/** What is on its way out; no volume's name starts so. */
const GONE = '.gone-';

/** A name for a volume that nobody named: 64 hexadecimal digits, as Docker's. */
export function anonymousName(): string {
  return randomBytes(32).toString('hex');
}

/**
 * The volume's record; null when there is no such volume.
 * @throws A3sError `state_corrupt` naming the file.
 */
export function readVolume(layout: Layout, name: string): VolumeRecord | null {
  if (!VOLUME_NAME_PATTERN.test(name)) return null;
  const file = volumePaths(layout, name).record;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw new A3sError('io', `cannot read ${file}: ${String(error)}`, { cause: error });
  }
  try {
    return parseVolumeRecord(text, name);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new A3sError('state_corrupt', `the volume record ${file} is damaged: ${reason}`, {
      hint: `volume rm ${name} removes the volume; its files are in ${volumePaths(layout, name).data}`,
      cause,
    });
  }
}

/** Names of all volumes, in order. */
export function volumeNames(layout: Layout): string[] {
  const files = namesIn(volumeRecordsDir(layout)).filter((file) => file.endsWith('.json'));
  return files.map((file) => file.slice(0, -'.json'.length)).toSorted();
}

/**
 * Makes a volume whose name is free and checked. Call it under the lock.
 * @throws A3sError `io`.
 */
export async function addVolume(
  layout: Layout,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<VolumeRecord> {
  const paths = volumePaths(layout, name);
  const record: VolumeRecord = {
    version: 1,
    name,
    created_at: new Date().toISOString(),
    labels: { ...labels },
    options: {},
  };
  try {
    mkdirSync(volumeRecordsDir(layout), { recursive: true, mode: 0o700 });
    // What a crash has left of an earlier one.
    removeTree(paths.share);
    mkdirSync(paths.share, { mode: 0o700 });
    mkdirSync(paths.data, { mode: 0o755 });
    await replaceFile(paths.record, `${paths.record}.tmp`, `${JSON.stringify(record)}\n`);
  } catch (cause) {
    throw new A3sError('io', `create ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  appendEvents(layout, [volumeEvent('create', name)]);
  return record;
}

/** Takes a volume out of use, in a moment. Call it under the lock; its files go with emptyTrash. One that is not there is no error. */
export function dropVolume(layout: Layout, name: string): void {
  if (!VOLUME_NAME_PATTERN.test(name)) return;
  const paths = volumePaths(layout, name);
  if (existsSync(paths.record)) appendEvents(layout, [volumeEvent('destroy', name)]);
  rmSync(paths.record, { force: true });
  try {
    renameSync(paths.share, join(layout.volumesDir, `${GONE}${randomBytes(8).toString('hex')}`));
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

/** Deletes the files of volumes that were dropped, those left by a crash too. Needs no lock. */
export function emptyTrash(layout: Layout): void {
  for (const entry of namesIn(layout.volumesDir)) {
    if (entry.startsWith(GONE)) removeTree(join(layout.volumesDir, entry));
  }
}

/** The boxes that mount a volume. */
export function usersOf(boxes: readonly BoxRecord[], name: string): BoxRecord[] {
  return boxes.filter((box) => box.volumes.some((mount) => mount.name === name));
}

/** Drops the volumes that were made for a box alone. Call it under the lock, with the boxes that stay. */
export function dropAnonymous(layout: Layout, gone: BoxRecord, boxes: readonly BoxRecord[]): boolean {
  const own = gone.volumes.filter(({ anonymous, name }) => anonymous && usersOf(boxes, name).length === 0);
  for (const { name } of own) dropVolume(layout, name);
  return own.length > 0;
}
