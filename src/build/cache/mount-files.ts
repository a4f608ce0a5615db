/** The files beside a cache mount's directory: what is known of it, and who uses it. Change them under the mounts' lock. */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isObject } from '../../json.ts';
import { namesIn, removeTree } from '../../state/directory.ts';
import { isAlive, processMark } from '../../state/processes.ts';
import { isTime, writeWhole } from './step-file.ts';

/** Between two looks at a mount that another command has for itself (as BuildKit's). */
export const CLAIM_PAUSE_MS = 100;

/** `open`: some build has it; `private`: one build alone has it; `running`, `alone`: a command runs on it. */
export type ClaimKind = (typeof KINDS)[number];

const KINDS = ['open', 'private', 'running', 'alone'] as const;

export interface Claim {
  file: string;
  kind: ClaimKind;
}

export interface MountNotes {
  id: string;
  description: string;
  /** RFC 3339. */
  created: string;
  uses: number;
}

const NOTES = /^([0-9a-f]{32}\.\d+)\.json$/;
const CLAIM = /^([0-9a-f]{32}\.\d+)\.(open|private|running|alone)-(\d+)-(\d+)-\d+$/;
/** The name of a mount, alone or with what a file beside its directory is for. */
const OF_MOUNT = /^([0-9a-f]{32}\.\d+)(?:\.|$)/;
const NEW = /^\.new-(\d+)-(\d+)-\d+$/;
let taken = 0;

/** Names of all mounts. */
export function mountNames(mounts: string): string[] {
  return namesIn(mounts).flatMap((name) => NOTES.exec(name)?.[1] ?? []);
}

/** Null for one that is not there. */
export function readMount(mounts: string, name: string): MountNotes | null {
  try {
    const value: unknown = JSON.parse(readFileSync(join(mounts, `${name}.json`), 'utf8'));
    if (!isObject(value) || !statSync(join(mounts, name)).isDirectory()) return null;
    const { id, description, created, uses } = value;
    if (typeof id !== 'string' || typeof description !== 'string' || !isTime(created)) return null;
    return { id, description, created, uses: typeof uses === 'number' ? uses : 0 };
  } catch {
    return null;
  }
}

/** Its time is that of the last use. */
export function writeMount(mounts: string, name: string, notes: MountNotes): void {
  writeWhole(join(mounts, `${name}.json`), JSON.stringify({ version: 1, ...notes }));
}

/** When it was last opened, in milliseconds since 1970. */
export function mountLastUse(mounts: string, name: string): number {
  return statSync(join(mounts, `${name}.json`), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Those of living processes; the others' files are removed. */
export function claims(mounts: string, name: string): ClaimKind[] {
  return namesIn(mounts).flatMap((file) => {
    const [, of, word, pid, start] = CLAIM.exec(file) ?? [];
    const kind = KINDS.find((each) => each === word);
    if (of !== name || kind === undefined) return [];
    if (isAlive(Number(pid), Number(start))) return [kind];
    rmSync(join(mounts, file), { force: true });
    return [];
  });
}

export function claim(mounts: string, name: string, kind: ClaimKind): Claim {
  taken += 1;
  const file = join(mounts, `${name}.${kind}-${processMark()}-${taken}`);
  writeFileSync(file, '', { mode: 0o600 });
  return { file, kind };
}

/** Null while another command stands in the way. */
export function tryClaim(mounts: string, name: string, kind: 'running' | 'alone'): Claim | null {
  const others = claims(mounts, name);
  const isTaken = others.some((other) => other === 'alone' || (kind === 'alone' && other === 'running'));
  return isTaken ? null : claim(mounts, name, kind);
}

/** A name for a mount that this process is filling. */
export function newMountName(): string {
  taken += 1;
  return `.new-${processMark()}-${taken}`;
}

/** Takes a mount out of the list; `sweepMounts` removes its files. */
export function dropMount(mounts: string, name: string): void {
  rmSync(join(mounts, `${name}.json`), { force: true });
  if (!existsSync(join(mounts, name))) return;
  taken += 1;
  renameSync(join(mounts, name), join(mounts, `.trash-${processMark()}-${taken}`));
}

/** Takes away what a build left that was killed while it put a mount in its place, or took it out. Call it under the mounts' lock. */
export function dropUnknown(mounts: string): void {
  const names = new Set(namesIn(mounts).flatMap((file) => OF_MOUNT.exec(file)?.[1] ?? []));
  for (const name of names) {
    if (readMount(mounts, name) !== null) continue;
    // Removes those of builds that are gone.
    claims(mounts, name);
    dropMount(mounts, name);
  }
}

/** Removes files of mounts that were dropped, and what builds that are gone were filling. Large trees: call it without the lock. */
export function sweepMounts(mounts: string): void {
  for (const name of namesIn(mounts)) {
    const [, pid, start] = NEW.exec(name) ?? [];
    const isDead = pid !== undefined && !isAlive(Number(pid), Number(start));
    if (isDead || name.startsWith('.trash-')) removeTree(join(mounts, name));
  }
}
