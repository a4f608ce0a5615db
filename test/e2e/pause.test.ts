import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { processesNaming, signalTo } from './fixture/processes.ts';
import { recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('pause');
const ticker = ['a3s/base', 'sh', '-c', 'while :; do date +%s; sleep 0.2; done'];

/** The state of the VM's process, as in /proc/PID/stat. */
function vmState(name: string): string {
  const vm = processesNaming(recordOf(name).box_dir).find(({ role }) => role === 'vm');
  const stat = readFileSync(`/proc/${vm?.pid ?? 0}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

test('a box that was paused for ten seconds goes on with the right time', async () => {
  const name = await boxes.detached('ten', ticker);
  const follower = new CliProcess(['logs', '-f', name]);
  await follower.says(/\d{10}\n/);
  expect(await a3s(['pause', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
  expect(vmState(name)).toBe('T');
  expect(await a3sOk(['ps', '--filter', 'status=paused', '--format', '{{.Names}} {{.Status}}'])).toMatch(
    new RegExp(`^${name} Up .* \\(Paused\\)$`),
  );
  expect(await a3s(['exec', name, 'true'])).toMatchObject({
    status: 1,
    out: '',
    err: `Error response from daemon: Container ${name} is paused, unpause the container before exec\n`,
  });
  const said = `${await a3sOk(['logs', name])}\n`;
  await until('the follower to have it all', () => follower.out === said);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  expect(follower.out).toBe(said);
  expect(await a3s(['unpause', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
  await until('the box to go on', () => follower.out !== said);
  const before = Date.now() / 1000;
  const inside = Number(await a3sOk(['exec', name, 'date', '+%s']));
  expect(inside).toBeGreaterThan(before - 1.5);
  expect(inside).toBeLessThan(Date.now() / 1000 + 1.5);
  await a3sOk(['stop', '-t', '0', name]);
  expect(await follower.ended).toMatchObject({ status: 0 });
});

test('pausing and unpausing several does the rest when one fails', async () => {
  const name = await boxes.detached('some', ticker);
  const err = 'Error response from daemon: No such container: nosuch\n';
  expect(await a3s(['pause', 'nosuch', name])).toMatchObject({ status: 1, out: `${name}\n`, err });
  expect(await a3s(['pause', name])).toMatchObject({
    status: 1,
    err: `Error response from daemon: Container ${recordOf(name).id} is already paused\n`,
  });
  expect(await a3s(['start', name])).toMatchObject({
    status: 1,
    err: `Error response from daemon: cannot start a paused container, try unpause instead\nError: failed to start containers: ${name}\n`,
  });
  expect(await a3s(['container', 'unpause', name, 'nosuch'])).toMatchObject({
    status: 1,
    out: `${name}\n`,
    err,
  });
  expect(await a3s(['unpause', name])).toMatchObject({
    status: 1,
    err: `Error response from daemon: Container ${recordOf(name).id} is not paused\n`,
  });
});

test.each([
  ['stop', ['stop', '-t', '30'], 'exited 9'],
  ['kill', ['kill'], 'exited 137'],
  ['restart', ['restart', '-t', '30'], 'running 0'],
])('%s wakes a paused box first', async (_verb, words, expected) => {
  const script = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done';
  const name = await boxes.detached('down', ['a3s/base', 'sh', '-c', script]);
  await until('its trap', async () => (await a3sOk(['logs', name])) === 'ready');
  await a3sOk(['pause', name]);
  await a3sOk([...words, name]);
  expect(await a3sOk(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name])).toBe(expected);
});

test('a paused box is removed by force alone', async () => {
  const name = await boxes.detached('rm', ticker);
  await a3sOk(['pause', name]);
  expect(await a3s(['rm', name])).toMatchObject({
    status: 1,
    err: `Error response from daemon: cannot remove container "/${name}": container is paused and must be unpaused first\n`,
  });
  expect(await a3s(['rm', '-f', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
});

test('a paused box that loses its monitor is dead, and its stopped VM gone', async () => {
  const name = await boxes.detached('lost', ticker);
  await a3sOk(['pause', name]);
  const { box_dir, pid } = recordOf(name);
  signalTo(pid, 'SIGKILL');
  await until('dead', async () => (await a3sOk(['inspect', '-f', '{{.State.Status}}', name])) === 'dead');
  expect(processesNaming(box_dir)).toEqual([]);
});
