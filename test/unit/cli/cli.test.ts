import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';

const CLI = join(import.meta.dirname, '../../../src/cli.ts');

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'a3s-cli-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function start(...args: string[]) {
  return spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, A3S_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('the exit status is what the command returned, and all output has left', async () => {
  const child = start('--help');
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Usage: {2}a3s-box [\s\S]*for more information on a command\.\n$/);
});

test('a reader that has gone ends the command quietly, as SIGPIPE would', async () => {
  const child = start('--help');
  child.stdout.destroy();
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect([status, stderr]).toEqual([141, '']);
});

test('what the system refuses is one line, with the status of the command', async () => {
  const file = join(home, 'boxes.json');
  mkdirSync(file);
  const child = start('ps');
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^[^\\n]*${file}[^\\n]*EISDIR[^\\n]*\\n$`));
});

test('a command that runs out of things to wait for has failed', async () => {
  // A stdout that never says that it has written.
  const mute = 'data:text/javascript,process.stdout.write = () => true';
  const child = spawn(process.execPath, ['--import', mute, CLI, '--help'], { stdio: 'ignore' });
  expect(await once(child, 'close')).toEqual([1, null]);
});
