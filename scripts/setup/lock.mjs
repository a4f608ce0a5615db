import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const deadline = 15 * 60_000;

/**
 * Runs work while no other process of this checkout does: two installations into one node_modules end badly.
 * @template Result
 * @param {string} file holds the owner's process ID
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 * @throws {Error} when the lock is not free in time
 */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  const started = Date.now();
  while (!acquire(file)) {
    if (Date.now() - started > deadline) throw new Error(`${file} is still held by process ${owner(file)}`);
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * Linked into place with its content, so that no lock is ever seen without its owner.
 * @param {string} file
 */
function acquire(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch {
    const pid = owner(file);
    if (pid > 0 && !isAlive(pid)) removeStale(file, pid);
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/**
 * Removes the lock that the dead process `pid` has left. Another waiter may have found it dead too, removed it and taken the
 * lock since: only one at a time may remove this process's lock, and that one looks again before it does.
 * @param {string} file
 * @param {number} pid
 */
export function removeStale(file, pid) {
  const claim = `${file}.dead-${pid}`;
  try {
    writeFileSync(claim, '', { flag: 'wx' });
  } catch {
    return;
  }
  try {
    if (owner(file) === pid) rmSync(file, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

/** @param {string} file */
function owner(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
