import { mkdirSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';

import { findAttachable } from '../../../src/engine/attach.ts';
import { execBox } from '../../../src/engine/exec.ts';
import { inspectBox } from '../../../src/engine/inspect.ts';
import { pauseBox, unpauseBox } from '../../../src/engine/pause.ts';
import { pruneBoxes } from '../../../src/engine/prune-boxes.ts';
import { removeBox } from '../../../src/engine/remove.ts';
import { renameBox } from '../../../src/engine/rename.ts';
import { boxProcesses } from '../../../src/engine/top.ts';
import { type UpdatedSettings, updateBox } from '../../../src/engine/update.ts';
import { waitBox } from '../../../src/engine/wait.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import { writeHealthLog } from '../../../src/state/health-log.ts';
import { boxPaths } from '../../../src/state/layout.ts';
import { processStart } from '../../../src/state/processes.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { addBoxes, testEngine } from './fixture/engine.ts';

afterEach(() => void vi.restoreAllMocks());

const live = { pid: process.pid, pid_start: processStart(process.pid) };
const MIB = 1024 * 1024;
const nothing = { restartPolicy: undefined, memoryBytes: undefined, cpus: undefined };

/** An engine with one box, and what its record says later. */
async function one(changes: Partial<BoxRecord>) {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'd1', ...changes });
  const record = async (): Promise<BoxRecord | undefined> => (await readBoxes(engine.layout))[0];
  return { engine, id: box?.id ?? '', dir: box?.box_dir ?? '', record };
}

test.each([
  ['stopped', (id: string) => `container ${id} is not running`],
  ['created', (id: string) => `container ${id} is not running`],
  ['paused', (id: string) => `Container ${id} is already paused`],
  ['restarting', (id: string) => `Container ${id} is restarting, wait until the container is running`],
] as const)('a %s box cannot be paused', async (status, message) => {
  const idle = status === 'stopped' || status === 'created';
  const { engine, id } = await one({ status, ...(idle ? {} : live) });
  await expect(pauseBox(engine, 'd1')).rejects.toThrow(message(id));
});

test('a box that says that it runs, though nobody listens, is in the end told as one that does not', async () => {
  const { engine, id } = await one({ status: 'running', ...live });
  let hours = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (hours += 3_600_000));
  await expect(pauseBox(engine, 'd1')).rejects.toThrow(`container ${id} is not running`);
});

test.each(['stopped', 'running'] as const)('a %s box cannot be unpaused', async (status) => {
  const { engine, id } = await one({ status, ...(status === 'running' ? live : {}) });
  await expect(unpauseBox(engine, 'd1')).rejects.toMatchObject({
    code: 'box_not_running',
    message: `Container ${id} is not paused`,
  });
});

test('a box that waits for its restart takes no command, and is not removed without force', async () => {
  const { engine, id, record } = await one({ status: 'restarting', exit_code: 1, ...live });
  const exec = { cmd: ['ls'], env: [], tty: false, openStdin: false, privileged: false };
  await expect(execBox(engine, 'd1', exec)).rejects.toThrow(
    `Container ${id} is restarting, wait until the container is running`,
  );
  await expect(removeBox(engine, 'd1', { force: false, volumes: false })).rejects.toThrow(
    'cannot remove container "/d1": container is restarting: stop the container before removing or force remove',
  );
  await removeBox(engine, 'd1', { force: true, volumes: false });
  expect(await record()).toBeUndefined();
});

test('waiting for a box that does not run answers at once', async () => {
  const { engine } = await one({ status: 'stopped', exit_code: 3 });
  await addBoxes(engine, { name: 'd2' });
  expect(await waitBox(engine, 'd1')).toBe(3);
  expect(await waitBox(engine, 'd2')).toBe(0);
  await expect(waitBox(engine, 'd3')).rejects.toThrow('No such container: d3');
});

test('a box gets another name, with or without a slash', async () => {
  const { engine, record } = await one({ status: 'running', ...live });
  await renameBox(engine, 'd1', '/d2');
  expect((await record())?.name).toBe('d2');
});

test.each([
  ['d1', 'd1', 'Renaming a container with the same name as its current name'],
  ['d1', 'a b', 'Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'],
  ['d1', ' ', 'Error: Neither old nor new names may be empty'],
  ['', 'd3', 'Error: Neither old nor new names may be empty'],
  ['d9', 'd3', 'No such container: d9'],
])('renaming %j to %j is refused', async (query, name, message) => {
  const { engine } = await one({});
  await expect(renameBox(engine, query, name)).rejects.toThrow(message);
});

test('a name that another box has is refused', async () => {
  const { engine } = await one({});
  const boxes = await addBoxes(engine, { name: 'd2' });
  await expect(renameBox(engine, 'd1', 'd2')).rejects.toMatchObject({
    code: 'name_conflict',
    message:
      `Error when allocating new name: Conflict. The container name "/d2" is already in use by container "${boxes[1]?.id}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  });
});

test('a box that does not run takes any change', async () => {
  const { engine, record } = await one({ status: 'stopped', exit_code: 0 });
  await updateBox(engine, 'd1', { restartPolicy: 'always', memoryBytes: 256 * MIB, cpus: 1 });
  expect(await record()).toMatchObject({ restart_policy: 'always', memory_mb: 256, cpus: 1 });
});

test.each<[Partial<BoxRecord>, UpdatedSettings, Partial<BoxRecord>]>([
  [{}, { pids_limit: 50 }, { cpus: 2, settings: { pids_limit: 50 } }],
  [{ settings: { pids_limit: 50 } }, { pids_limit: 0 }, { cpus: 2 }],
  [{}, { cpu_quota: 50_000 }, { cpus: 0.5, settings: { cpu_quota: 50_000 } }],
  [
    { cpus: 0.5, settings: { cpu_quota: 50_000 } },
    { cpu_period: 50_000 },
    { cpus: 1, settings: { cpu_quota: 50_000, cpu_period: 50_000 } },
  ],
  [
    { cpus: 0.5, settings: { cpu_quota: 50_000 } },
    { cpu_quota: -1 },
    { cpus: 2, settings: { cpu_quota: -1 } },
  ],
  [{}, { memory_reservation: 64 * MIB }, { settings: { memory_reservation: 64 * MIB } }],
  [{}, { memory_swap: -1 }, { settings: { memory_swap: -1 } }],
])('a box of %j that is given %j is %j', async (before, settings, after) => {
  const { engine, record } = await one({ status: 'stopped', exit_code: 0, ...before });
  await updateBox(engine, 'd1', { ...nothing, settings });
  expect(await record()).toMatchObject(after);
  expect((await record())?.settings).toEqual(after.settings);
});

test('another number of CPUs takes the place of a quota, and swap goes with the memory', async () => {
  const settings = { cpu_quota: 50_000, memory_swap: 512 * MIB };
  const { engine, record } = await one({ status: 'stopped', exit_code: 0, cpus: 0.5, settings });
  await updateBox(engine, 'd1', { ...nothing, cpus: 1, memoryBytes: 256 * MIB });
  expect(await record()).toMatchObject({ cpus: 1, memory_mb: 256 });
  expect((await record())?.settings).toEqual({ memory_swap: 256 * MIB });
});

test.each<[UpdatedSettings, string]>([
  [{ pids_limit: 5_000_000 }, 'Maximum pids limit allowed is 4194304; -1 sets none'],
  [{ cpu_quota: 10 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [{ memory_reservation: 1024 * MIB }, 'Minimum memory limit can not be less than memory reservation limit'],
  [{ memory_swap: 256 * MIB }, 'Minimum memoryswap limit should be larger than memory limit, see usage'],
  [{ memory_swap: 1024 * MIB }, '--memory-swap 1073741824 is not supported: a box has no swap'],
])('the settings %j are refused as for a new box', async (settings, message) => {
  const { engine } = await one({ status: 'stopped', exit_code: 0 });
  await expect(updateBox(engine, 'd1', { ...nothing, settings })).rejects.toThrow(message);
});

test('a box that runs takes a policy, and the size that it has', async () => {
  const { engine, id, record } = await one({ status: 'running', ...live });
  await updateBox(engine, 'd1', { restartPolicy: 'on-failure:3', memoryBytes: 512 * MIB, cpus: 2 });
  expect(await record()).toMatchObject({ restart_policy: 'on-failure:3', memory_mb: 512, cpus: 2 });
  // It says that it runs, and nobody listens.
  await expect(updateBox(engine, 'd1', { ...nothing, memoryBytes: 256 * MIB })).rejects.toMatchObject({
    code: 'box_not_running',
    message: `Cannot update container ${id}: container d1 is not running`,
  });
  expect(await record()).toMatchObject({ memory_mb: 512 });
});

test.each([
  [{ memoryBytes: 63 * MIB }, 'Minimum memory limit allowed is 64MB'],
  [{ cpus: 0 }, 'range of CPUs is from 0.01'],
  [
    { restartPolicy: 'always' },
    'Restart policy cannot be updated because AutoRemove is enabled for the container',
  ],
])('%j is refused for a box with --rm', async (change, message) => {
  const { engine } = await one({ auto_remove: true });
  await expect(updateBox(engine, 'd1', { ...nothing, ...change })).rejects.toThrow(message);
});

test('prune removes what does not run and matches', async () => {
  const { engine, id } = await one({ status: 'stopped', exit_code: 0 });
  await addBoxes(
    engine,
    { name: 'created' },
    { name: 'dead', status: 'dead' },
    { name: 'up', status: 'running', ...live },
    { name: 'waits', status: 'restarting', ...live },
    { name: 'starts', status: 'starting', ...live },
    { name: 'kept', status: 'stopped', labels: { keep: '' } },
  );
  const { ids, bytes } = await pruneBoxes(engine, ({ labels }) => !Object.hasOwn(labels, 'keep'));
  expect([ids.length, ids[0], bytes]).toEqual([3, id, 0]);
  expect((await readBoxes(engine.layout)).map(({ name }) => name)).toEqual(['up', 'waits', 'starts', 'kept']);
});

test('inspect shows health, policy and restarts as Docker does', async () => {
  const result = {
    start: '2026-01-02T03:04:05.1Z',
    end: '2026-01-02T03:04:06.2Z',
    exit_code: 1,
    output: 'no',
  };
  const changes = { health: 'unhealthy', restart_policy: 'on-failure:4', restart_count: 2 } as const;
  const { engine, dir } = await one({ status: 'restarting', exit_code: 1, ...live, ...changes });
  mkdirSync(dir, { recursive: true });
  writeHealthLog(boxPaths(dir).healthLog, { failing_streak: 3, results: [result] });
  const json = await inspectBox(engine, 'd1');
  expect(json).toMatchObject({
    RestartCount: 2,
    HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 4 } },
    State: {
      Status: 'restarting',
      Running: true,
      Restarting: true,
      Pid: 0,
      Health: {
        Status: 'unhealthy',
        FailingStreak: 3,
        Log: [{ Start: result.start, End: result.end, ExitCode: 1, Output: 'no' }],
      },
    },
  });
});

test('a box without a check has no health to show', async () => {
  const { engine } = await one({});
  expect(JSON.stringify(await inspectBox(engine, 'd1'))).not.toContain('Health');
});

test('attach and top of a box that waits for its restart say so', async () => {
  const { engine, id } = await one({ status: 'restarting', exit_code: 1, ...live });
  await expect(findAttachable(engine, 'd1')).rejects.toThrow(
    'cannot attach to a restarting container, wait until it is running',
  );
  await expect(boxProcesses(engine, 'd1')).rejects.toThrow(
    `Container ${id} is restarting, wait until the container is running`,
  );
});
