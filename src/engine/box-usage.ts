/** What a box has used, by its agent's word; of a paused one as it was then, for its agent stands still with the rest. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import { A3sError } from '../errors.ts';
import { objectOr } from '../json.ts';
import { askFiles } from '../runtime/files-client.ts';
import { boxPaths } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';

/** An agent answers within milliseconds; `pause` waits no longer for one that does not. */
const PAUSE_WAITS_MS = 1000;

/** Counters, and what is used at the moment. */
export interface BoxFigures {
  /** Of the VM's clock that never jumps. */
  timeNs: number;
  cpuNs: number;
  /** Without pages of files that nobody has used lately, as Docker counts. */
  memoryBytes: number;
  memoryLimitBytes: number;
  pids: number;
  receivedBytes: number;
  sentBytes: number;
  readBytes: number;
  writtenBytes: number;
}

/** @throws A3sError `box_not_running` when the box has ended, `guest_protocol`, `io`. */
export async function askFigures(record: BoxRecord): Promise<BoxFigures> {
  return parseFigures(await askFiles(record, { op: 'usage' }));
}

/**
 * Writes down what a box uses that is about to be paused. Never fails: a box whose agent hangs or whose disk is full is paused all the
 * same, and `stats` knows nothing of it.
 */
export async function keepFigures(record: BoxRecord): Promise<void> {
  const file = boxPaths(record.box_dir).pausedUsage;
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const usage = await askFiles(record, { op: 'usage' }, AbortSignal.timeout(PAUSE_WAITS_MS));
    parseFigures(usage);
    writeFileSync(temporary, JSON.stringify({ started_at: record.started_at, usage }), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}

/** What a paused box used when it was paused; null when that is not known. */
export function keptFigures(record: BoxRecord): BoxFigures | null {
  try {
    const kept = objectOr(JSON.parse(readFileSync(boxPaths(record.box_dir).pausedUsage, 'utf8')));
    return kept['started_at'] === record.started_at ? parseFigures(kept['usage']) : null;
  } catch {
    return null;
  }
}

/** The box goes on: another pause has figures of its own. */
export function dropFigures(record: BoxRecord): void {
  rmSync(boxPaths(record.box_dir).pausedUsage, { force: true });
}

function parseFigures(answer: unknown): BoxFigures {
  const read = (key: string): number => {
    const value = objectOr(answer)[key];
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    throw new A3sError('guest_protocol', `the box sent no number for ${key}`);
  };
  return {
    timeNs: read('time_ns'),
    cpuNs: read('cpu_ns'),
    memoryBytes: Math.max(read('memory_bytes') - read('inactive_file_bytes'), 0),
    memoryLimitBytes: read('memory_limit_bytes'),
    pids: read('pids'),
    receivedBytes: read('received_bytes'),
    sentBytes: read('sent_bytes'),
    readBytes: read('read_bytes'),
    writtenBytes: read('written_bytes'),
  };
}
