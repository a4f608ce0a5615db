import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** @param {string} file */
function acquire(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const pid = owner(file);
    // An empty file is one that its owner is about to fill.
    if (pid > 0 && !isAlive(pid)) rmSync(file, { force: true });
    return false;
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
