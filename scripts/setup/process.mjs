import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** System tools such as mkfs.ext4 lie in sbin, which an ordinary user's PATH may not name. */
const systemPath = ['/usr/sbin', '/sbin'];

/** The environment set-up commands run in: every tool found, English messages. Its PATH is where `findTool` looks. */
export const toolEnv = {
  ...process.env,
  PATH: [process.env['PATH'] ?? '', ...systemPath].join(delimiter),
  LC_ALL: 'C',
};

/**
 * The path of an executable, or undefined where there is none.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findTool(name) {
  return toolEnv.PATH.split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Runs a command to its end and returns its stdout. Its stderr is kept for the error.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<Buffer>}
 * @throws {Error} with the command line and what it wrote, shortened in the middle, when it fails
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...toolEnv, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    /** @type {Buffer[]} */
    const out = [];
    /** @type {Buffer[]} */
    const err = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const stdout = Buffer.concat(out);
      if (code === 0) {
        resolve(stdout);
        return;
      }
      const words = Buffer.concat(err).toString().trim() || stdout.subarray(-4000).toString().trim();
      const lines = words.split('\n');
      const shown = lines.length > 40 ? [...lines.slice(0, 20), '…', ...lines.slice(-20)] : lines;
      reject(
        new Error(
          `${[command, ...args].join(' ')} failed (${signal ?? `status ${code}`})\n${shown.join('\n')}`,
        ),
      );
    });
  });
}
