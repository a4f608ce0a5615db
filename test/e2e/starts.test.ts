/** `start` of boxes that were there before: their VM is on its way before their monitor's program is loaded. */
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { startBox } from '../../src/engine/start.ts';
import { bundleDir } from '../../src/runtime/bundle.ts';
import { spawnMonitor } from '../../src/runtime/spawn-monitor.ts';
import { layoutOf } from '../../src/state/layout.ts';
import { temporaryDirectory } from '../temporary.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { home } from './fixture/home.ts';
import { ask, freePort, listening } from './fixture/ports.ts';
import { processesNaming } from './fixture/processes.ts';
import { recordOf } from './fixture/records.ts';
import { spansOf } from './fixture/spans.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('starts');

const STAYS = ['a3s/base', 'sleep', '1000'];

/** A box with these flags, stopped with writes of its own. */
async function stopped(label: string, flags: readonly string[], workload = STAYS): Promise<string> {
  const name = await boxes.detached(label, [...flags, ...workload]);
  await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /kept']);
  await a3sOk(['stop', '-t', '0', name]);
  return name;
}

/** Starts it; whether its VM was there before its monitor's program. */
async function startsEarly(name: string): Promise<boolean> {
  const file = join(temporaryDirectory(), 'start.json');
  await a3sOk(['start', name], { env: { A3S_BOX_TRACE: file } });
  const [, monitor = []] = spansOf(file);
  expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
  const [vm, program] = ['monitor: template, disk and QEMU', 'monitor: Node and the program'];
  expect(monitor).toEqual(expect.arrayContaining([vm, program]));
  return monitor.indexOf(vm) < monitor.indexOf(program);
}

test('a box with one processor has its VM early, and finds mounted what it found at first', async () => {
  const name = await boxes.detached('mounts', ['--cpus', '1', '--tmpfs', '/t', ...STAYS]);
  const facts = 'sort /proc/mounts; ls -lnR /dev /etc/hosts; cat /etc/hosts; ls /proc/kcore /sys/firmware';
  const before = await a3sOk(['exec', name, 'sh', '-c', `echo kept > /kept; ${facts}`]);
  await a3sOk(['stop', '-t', '0', name]);
  expect(await startsEarly(name)).toBe(true);
  expect(undated(await a3sOk(['exec', name, 'sh', '-c', facts]))).toBe(undated(before));
});

/** Without times, which are those of the start, and what a `sh` has open. */
function undated(text: string): string {
  return text.replaceAll(/ (?:[A-Z][a-z]{2} +\d+ [\d:]+) /g, ' ');
}

test('a box with published ports has its VM early, and answers there', async () => {
  const port = await freePort();
  const echo = ['a3s/base', 'nc', '-ll', '-p', '80', '-e', 'cat'];
  const name = await stopped('port', ['-p', `127.0.0.1:${port}:80`], echo);
  expect(await startsEarly(name)).toBe(true);
  expect(await until('an answer', () => ask(port), 20_000)).toBe('hello\n');
});

test('a port that is taken is named, and the box starts once it is free', async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  const port = await freePort();
  const name = await stopped('taken', ['-p', `127.0.0.1:${port}:80`]);
  await listening(server, '127.0.0.1', port);
  const { status, out, err } = await a3s(['start', name]);
  expect({ status, out }).toEqual({ status: 1, out: '' });
  expect(err).toContain(`Bind for 127.0.0.1:${port} failed: port is already allocated`);
  expect(await a3sOk(['inspect', '-f', '{{.State.Status}}', name])).toBe('exited');
  await new Promise((resolve) => server.close(resolve));
  expect(await startsEarly(name)).toBe(true);
});

test('a box with directories and volumes has its VM early, and sees what is in them now', async () => {
  const directory = temporaryDirectory();
  const volume = 'starts-volume';
  const name = await stopped('shares', ['-v', `${directory}:/d:ro`, '-v', `${volume}:/v`]);
  onTestFinished(async () => void (await a3s(['volume', 'rm', '-f', volume])));
  writeFileSync(join(directory, 'new'), 'new');
  expect(await startsEarly(name)).toBe(true);
  expect(await a3sOk(['exec', name, 'sh', '-c', 'cat /d/new; echo x > /v/x; cat /v/x'])).toBe('newx');
  await a3sOk(['rm', '-f', name]);
});

test('a box with a single file of the host is started as its monitor finds it', async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, 'old');
  const name = await stopped('file', ['-v', `${file}:/f`]);
  // Another file of the same name: the link to the old one is of no use any more.
  rmSync(file);
  writeFileSync(file, 'new');
  expect(await startsEarly(name)).toBe(false);
  expect(await a3sOk(['exec', name, 'cat', '/f'])).toBe('new');
});

test('of several starts of a box at once each succeeds, and one monitor and one VM are left', async () => {
  const name = await stopped('at-once', []);
  const starts = await Promise.all([1, 2, 3, 4].map(() => a3s(['start', name])));
  for (const start of starts) expect(start).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
  const roles = () => processesNaming(recordOf(name).box_dir).map(({ role }) => role);
  await until('the end of the other monitors', () => roles().length === 2, 20_000);
  expect(roles().toSorted()).toEqual(['monitor', 'vm']);
  expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
});

test('a start that fails before the box is its own leaves no monitor', async () => {
  const name = await stopped('flag', []);
  expect(await a3s(['start', '--no-such-flag', name])).toMatchObject({ status: 125, out: '' });
  const { box_dir } = recordOf(name);
  await until('the end of the monitor', () => processesNaming(box_dir).length === 0, 20_000);
  expect(recordOf(name)).toMatchObject({ status: 'stopped', pid: null });
});

test('a monitor that was killed before the box was claimed is replaced', async () => {
  const name = await stopped('killed', []);
  const { box_dir, short_id: shortId } = recordOf(name);
  const monitor = spawnMonitor(box_dir);
  onTestFinished(() => void monitor.connection.destroy());
  expect(monitor.isAlive()).toBe(true);
  for (const { pid } of processesNaming(box_dir)) process.kill(pid, 'SIGKILL');
  await until('its end', () => !monitor.isAlive(), 20_000);
  const engine = {
    layout: layoutOf(home()),
    bundleDir: bundleDir(),
    notify: () => {},
    reserved: { start: { shortId, monitor } },
  };
  const { session } = await startBox(engine, name, { output: false, stdin: false });
  await session?.started;
  session?.detach();
  expect(engine.reserved).toEqual({});
  expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
});
