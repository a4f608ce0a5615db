/** A step of the cache on the disk. What is not sound counts as not there: the step is made again. */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { hasErrno } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { isDigest } from '../../images/reference.ts';
import { readStepJson, stepFile } from '../../images/store/cached.ts';
import { namesIn } from '../../state/directory.ts';
import type { Layout } from '../../state/layout.ts';
import { isAlive, processMark } from '../../state/processes.ts';
import type { BuiltLayer, StepResult } from './built-layer.ts';

const HASH = /^[0-9a-f]{64}$/;
/** A file that the process with this PID and start time was about to put in its place. */
const UNFINISHED = /\.(\d+)-(\d+)-\d+\.tmp$/;
let written = 0;

export interface Step extends StepResult {
  description: string;
  /** Hash of the key of the step below. */
  parent: string | null;
  /** How often it was found. */
  uses: number;
}

/** What names a step on the disk. */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Null for one that is missing or not sound. */
export function readStep(layout: Layout, hash: string): Step | null {
  return parseStep(readStepJson(layout, hash));
}

/** When it was last found or put, in milliseconds since 1970; null when it has gone. */
export function lastUse(layout: Layout, hash: string): number | null {
  return statSync(stepFile(layout, hash), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/** Writes it, whole at any instant. */
export function writeStep(layout: Layout, hash: string, step: Step): void {
  writeWhole(stepFile(layout, hash), JSON.stringify({ version: 1, ...step }));
}

/**
 * Replaces a file of the cache. It is not flushed: after a crash of the host it may be missing or empty, which costs what it saved. So
 * does a full disk, which is no reason for a build to fail.
 */
export function writeWhole(file: string, text: string): void {
  written += 1;
  const temporary = `${file}.${processMark()}-${written}.tmp`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (!hasErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
  }
}

/** Removes what killed processes were writing in a directory of the cache. */
export function sweepUnfinished(directory: string): void {
  for (const name of namesIn(directory)) {
    const [, pid, start] = UNFINISHED.exec(name) ?? [];
    const isDead = pid !== undefined && !isAlive(Number(pid), Number(start));
    if (isDead) rmSync(join(directory, name), { force: true });
  }
}

/** Null for what is no step. */
export function parseStep(value: unknown): Step | null {
  if (!isObject(value) || value['version'] !== 1) return null;
  const { description, parent, uses, created } = value;
  const layer = value['layer'] === null ? null : parseLayer(value['layer']);
  if (layer === undefined || typeof description !== 'string' || !isCount(uses) || !isTime(created))
    return null;
  if (parent !== null && (typeof parent !== 'string' || !HASH.test(parent))) return null;
  return { layer, created, description, parent, uses };
}

/** Undefined for what is no layer. */
export function parseLayer(value: unknown): BuiltLayer | undefined {
  if (!isObject(value)) return undefined;
  const { mediaType, digest, size, diffId, contentBytes } = value;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || typeof diffId !== 'string')
    return undefined;
  if (!isDigest(digest) || !isDigest(diffId) || !isCount(size) || !isCount(contentBytes)) return undefined;
  return { mediaType, digest, size, diffId, contentBytes };
}

export function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
