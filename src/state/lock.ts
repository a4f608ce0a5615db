/**
 * Locks that the kernel releases when their holder dies, however it dies.
 *
 * A lock is an empty SQLite database: `BEGIN IMMEDIATE` takes the fcntl lock that only one process can have (RESERVED;
 * EXCLUSIVE would trip over those who only look), and closing it rolls back, so nothing is ever written. The journal is
 * in memory, because a file of it would need free space: `rm` must work when the disk is full.
 * What else was measured: docs/decisions/0003-state-lock.md.
 *
 * Nothing else may open a lock file: closing any descriptor of it would drop this process's locks on it.
 */
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

import { A3sError, hasErrno } from '../errors.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

/** Between two tries. Random, so that waiters do not collide again and again; not growing, so that none falls behind. */
const WAIT_MS = { least: 0.5, most: 8 };

export interface LockOptions {
  /** How long to wait for another holder before giving up. */
  timeoutMs: number;
  /** The longest pause between two tries; for holders that may take minutes, longer than the usual 8 ms. */
  pauseMs?: number;
  /** Ends the wait. */
  signal?: AbortSignal;
}

/**
 * Runs `work` while holding the lock, alone among all processes and all callers in this one.
 * The lock file and its directory are made when they are missing.
 * @throws A3sError `timeout` when the lock stayed taken, `io` when its file cannot be used.
 */
export async function withLock<T>(
  lockFile: string,
  work: () => T | Promise<T>,
  options: LockOptions,
): Promise<T> {
  const database = await acquire(lockFile, options);
  try {
    return await work();
  } finally {
    // Closing rolls the transaction back, which releases the lock.
    database.close();
  }
}

async function acquire(
  lockFile: string,
  { timeoutMs, pauseMs = WAIT_MS.most, signal }: LockOptions,
): Promise<DatabaseSync> {
  // Loaded here, because a command that only reads never locks.
  const { DatabaseSync } = await import('node:sqlite');
  const deadline = performance.now() + timeoutMs;
  const database = open(DatabaseSync, lockFile);
  try {
    database.exec('PRAGMA journal_mode=MEMORY');
    while (!tryToLock(database)) {
      if (performance.now() >= deadline) throw taken(lockFile, timeoutMs);
      signal?.throwIfAborted();
      const wait = WAIT_MS.least + Math.random() * (pauseMs - WAIT_MS.least);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    return database;
  } catch (error) {
    database.close();
    if (error instanceof A3sError || signal?.aborted === true) throw error;
    throw unusable(lockFile, error);
  }
}

/** False when another has it. */
function tryToLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if (sqliteCode(error) === SQLITE_BUSY) return false;
    throw error;
  }
}

function open(Database: typeof DatabaseSync, lockFile: string): DatabaseSync {
  // mode=rw: SQLite would make the file with the umask's rights, and others could hold a read lock on it.
  const url = new URL(`${pathToFileURL(lockFile).href}?mode=rw`);
  try {
    return new Database(url, { timeout: 0 });
  } catch (error) {
    if (sqliteCode(error) !== SQLITE_CANTOPEN) throw unusable(lockFile, error);
  }
  try {
    makeLockFile(lockFile);
    return new Database(url, { timeout: 0 });
  } catch (error) {
    throw unusable(lockFile, error);
  }
}

function makeLockFile(lockFile: string): void {
  mkdirSync(dirname(lockFile), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(lockFile, 'wx', 0o600));
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  // Extended codes carry the primary one in their low byte.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

function unusable(lockFile: string, cause: unknown): A3sError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new A3sError('io', `cannot lock ${lockFile}: ${reason}`, {
    hint: isFull(cause) ? 'free some disk space' : 'the file must be empty, writable and owned by you',
    cause,
  });
}

function isFull(cause: unknown): boolean {
  return sqliteCode(cause) === SQLITE_FULL || hasErrno(cause, 'ENOSPC', 'EDQUOT');
}

function taken(lockFile: string, timeoutMs: number): A3sError {
  const holder = holderOf(lockFile);
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new A3sError('timeout', `${lockFile} is still locked by ${who} after ${timeoutMs / 1000} s`, {
    hint: holder === undefined ? 'try again' : `look at it with: ps ${holder}`,
  });
}

/** The process that holds a lock on the file, from /proc/locks, for the error message only. */
function holderOf(lockFile: string): number | undefined {
  try {
    const { ino } = statSync(lockFile);
    const line = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .find((text) => text.includes(`:${ino} `) && !text.includes('->'));
    const pid = Number(line?.split(/\s+/)[4]);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
