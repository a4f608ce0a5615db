/**
 * Leases: what a running command is bringing into the store, or taking out of it, though no image may name it yet. The garbage
 * collection leaves leased blobs alone; a lease whose process is gone counts for nothing.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { hasErrno } from '../../errors.ts';
import { namesIn } from '../../state/directory.ts';
import type { Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { isAlive, processMark } from '../../state/processes.ts';
import { storeLock } from '../image.ts';
import { isDigest } from '../reference.ts';

/** A pull in this process, after its PID and start time. */
const LEASE = /^(\d+)-(\d+)-\d+\.json$/;
const SPOOL = /^spool-(\d+)-(\d+)-\d+$/;
const LOCK_TIMEOUT_MS = 600_000;

let taken = 0;

export interface Lease extends Disposable {
  /** Adds blobs. Take them before looking whether they are there. */
  hold(digests: readonly string[]): Promise<void>;
}

/** A lease of this process, on nothing yet. It ends with `using`, or with the process. */
export function takeLease(layout: Layout): Lease {
  taken += 1;
  const file = join(layout.leasesDir, `${processMark()}-${taken}.json`);
  const held = new Set<string>();
  const written = new Set<string>();
  return {
    async hold(digests) {
      for (const digest of digests) held.add(digest);
      if (digests.every((digest) => written.has(digest))) return;
      mkdirSync(layout.leasesDir, { recursive: true, mode: 0o700 });
      // Under the store's lock: a collection has either seen the lease or is over.
      await withLock(
        storeLock(layout),
        async () => {
          // What a killed command has left goes with the next one.
          leasedDigests(layout);
          // After a crash of the host it counts for nothing: it need not be flushed.
          writeFileSync(`${file}.tmp`, JSON.stringify([...held]), { mode: 0o600 });
          renameSync(`${file}.tmp`, file);
          for (const digest of held) written.add(digest);
        },
        { timeoutMs: LOCK_TIMEOUT_MS },
      );
    },
    [Symbol.dispose]() {
      rmSync(file, { force: true });
    },
  };
}

/** A name for a directory of this process in `ingest`, which goes when the process has gone. */
export function spoolName(): string {
  taken += 1;
  return `spool-${processMark()}-${taken}`;
}

/** True for a spool directory whose process is gone. */
export function isDeadSpool(name: string): boolean {
  const [, pid, start] = SPOOL.exec(name) ?? [];
  return pid !== undefined && !isAlive(Number(pid), Number(start));
}

/** The blobs that live processes lease. Removes the leases of dead ones. Call it under the store's lock. */
export function leasedDigests(layout: Layout): Set<string> {
  const digests = new Set<string>();
  for (const name of namesIn(layout.leasesDir)) {
    const [, pid, start] = LEASE.exec(name) ?? [];
    const file = join(layout.leasesDir, name);
    if (pid === undefined || !isAlive(Number(pid), Number(start))) rmSync(file, { force: true });
    else for (const digest of readLease(file)) digests.add(digest);
  }
  return digests;
}

function readLease(file: string): string[] {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string' && isDigest(item)) : [];
  } catch (error) {
    // It ended meanwhile.
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
