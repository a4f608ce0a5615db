/** The last results of a box's health check: a file in its directory, because boxes.json is written for what lasts. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

import { isObject } from '../json.ts';

/** As many results as Docker keeps. */
export const MAX_RESULTS = 5;

export interface HealthResult {
  /** RFC 3339 with nanoseconds. */
  start: string;
  end: string;
  /** The check's exit status; -1 for one that did not end, or never began. */
  exit_code: number;
  output: string;
}

export interface HealthLog {
  /** Failures since the last success. */
  failing_streak: number;
  /** Oldest first. */
  results: HealthResult[];
}

export const NO_RESULTS: HealthLog = { failing_streak: 0, results: [] };

/** What the file holds; nothing when it is missing or unsound: the next check writes it anew. */
export function readHealthLog(path: string): HealthLog {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isHealthLog(value) ? value : NO_RESULTS;
  } catch {
    return NO_RESULTS;
  }
}

/** Replaces the file, so that a reader sees the old or the new one. It need not survive a crash of the host. */
export function writeHealthLog(path: string, log: HealthLog): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(log), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

function isHealthLog(value: unknown): value is HealthLog {
  if (!isObject(value) || !Number.isSafeInteger(value['failing_streak'])) return false;
  const { results } = value;
  return Array.isArray(results) && results.length <= MAX_RESULTS && results.every(isResult);
}

function isResult(value: unknown): value is HealthResult {
  return (
    isObject(value) &&
    typeof value['start'] === 'string' &&
    typeof value['end'] === 'string' &&
    typeof value['output'] === 'string' &&
    Number.isSafeInteger(value['exit_code'])
  );
}
