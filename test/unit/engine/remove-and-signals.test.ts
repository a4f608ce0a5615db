import { mkdirSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

import { execBox } from '../../../src/engine/exec.ts';
import { killBox } from '../../../src/engine/kill.ts';
import { removeBox } from '../../../src/engine/remove.ts';
import { startBox } from '../../../src/engine/start.ts';
import { stopBox } from '../../../src/engine/stop.ts';
import { updateBox } from '../../../src/state/box-updates.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import { processStart } from '../../../src/state/processes.ts';
import { startMonitor } from '../state/fixture/child.ts';
import { addBoxes, testEngine } from './fixture/engine.ts';

const live = { pid: process.pid, pid_start: processStart(process.pid) };
const exec = { cmd: ['ls'], env: [], tty: false, openStdin: false, privileged: false };

test('an idle box is removed with its directory', async () => {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'd1', status: 'stopped', exit_code: 0 });
  mkdirSync(box?.box_dir ?? '', { recursive: true });
  await removeBox(engine, 'd1', { force: false, volumes: false });
  expect(await readBoxes(engine.layout)).toEqual([]);
  expect(readdirSync(engine.layout.boxesDir)).toEqual([]);
  await expect(removeBox(engine, 'd1', { force: true, volumes: false })).rejects.toThrow(
    'No such container: d1',
  );
});

test.each([
  ['running', 'container is running: stop the container before removing or force remove'],
  ['starting', 'container is running: stop the container before removing or force remove'],
  ['paused', 'container is paused and must be unpaused first'],
] as const)('a %s box is not removed without force', async (status, reason) => {
  const engine = testEngine();
  await addBoxes(engine, { name: 'd1', status, ...live });
  await expect(removeBox(engine, 'd1', { force: false, volumes: false })).rejects.toMatchObject({
    code: 'box_running',
    message: `cannot remove container "/d1": ${reason}`,
  });
  expect(await readBoxes(engine.layout)).toHaveLength(1);
});

test('force removes a box whose monitor does not listen, and kills the monitor', async () => {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'd1' });
  const directory = box?.box_dir ?? '';
  mkdirSync(directory, { recursive: true });
  const monitor = await startMonitor(directory);
  const pid = monitor.pid ?? 0;
  await addBoxes(engine, { name: 'd2', status: 'running', ...live });
  await updateBox(engine.layout, box?.id ?? '', (record) => {
    Object.assign(record, { status: 'running', pid, pid_start: processStart(pid) });
  });
  await removeBox(engine, 'd1', { force: true, volumes: false });
  expect(processStart(pid)).toBeNull();
  expect((await readBoxes(engine.layout)).map(({ name }) => name)).toEqual(['d2']);
});

test('stopping what does not run is no error', async () => {
  const engine = testEngine();
  await addBoxes(engine, { name: 'd1' });
  await stopBox(engine, 'd1', { signal: undefined, timeoutSeconds: undefined });
  await expect(stopBox(engine, 'd2', { signal: undefined, timeoutSeconds: 1 })).rejects.toThrow(
    'No such container: d2',
  );
  await expect(stopBox(engine, 'd1', { signal: 'FOO', timeoutSeconds: 1 })).rejects.toThrow(
    'invalid signal: FOO',
  );
});

test('killing what does not run is an error in the words of Docker', async () => {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'd1' });
  await expect(killBox(engine, 'd1', 'KILL')).rejects.toMatchObject({
    code: 'box_not_running',
    message: `cannot kill container: d1: container ${box?.id} is not running`,
  });
  await expect(killBox(engine, 'd1', 'NOSUCH')).rejects.toMatchObject({
    code: 'invalid_config',
    message: 'invalid signal: NOSUCH',
  });
});

test('exec needs a box that runs', async () => {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'd1' }, { name: 'd2', status: 'paused', ...live });
  await expect(execBox(engine, 'd1', exec)).rejects.toMatchObject({
    code: 'box_not_running',
    message: `container ${box?.id} is not running`,
  });
  await expect(execBox(engine, 'd2', exec)).rejects.toMatchObject({
    code: 'box_paused',
    message: 'Container d2 is paused, unpause the container before exec',
  });
});

test('starting a box that runs leaves it alone; a paused one is refused', async () => {
  const engine = testEngine();
  await addBoxes(
    engine,
    { name: 'd1', status: 'running', ...live },
    { name: 'd2', status: 'paused', ...live },
  );
  const { record, session } = await startBox(engine, 'd1', { output: false, stdin: false });
  expect([record.name, session]).toEqual(['d1', null]);
  await expect(startBox(engine, 'd2', { output: false, stdin: false })).rejects.toThrow(
    'cannot start a paused container, try unpause instead',
  );
});
