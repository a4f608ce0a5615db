import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { readBoxes, updateBoxes } from '../../../src/state/boxes-file.ts';
import { type Layout, layoutOf } from '../../../src/state/layout.ts';
import { processStart } from '../../../src/state/processes.ts';
import { reconcile } from '../../../src/state/reconcile.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { sampleRecord, sampleRecordIn } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { ended, startMonitor, startSleeper } from './fixture/child.ts';

/** No process has it: above the kernel's highest. */
const DEAD_PID = 4_194_305;
const SHORT_ID = '3e54fbf999f5';

async function homeWith(...boxes: Partial<BoxRecord>[]): Promise<Layout> {
  const layout = layoutOf(join(temporaryDirectory(), 'home'));
  await updateBoxes(layout, (list) => list.push(...boxes.map(sampleRecord)));
  for (const box of await readBoxes(layout))
    mkdirSync(join(layout.boxesDir, box.short_id), { recursive: true });
  return layout;
}

/** A process that looks like a box's monitor, or like its VM. */
function fakeProcess(layout: Layout, program: 'monitor' | 'vm', shortId = SHORT_ID) {
  const directory = join(layout.boxesDir, shortId);
  if (program === 'monitor') return startMonitor(directory);
  const qemu = join(layout.home, 'qemu-system-x86_64');
  if (!existsSync(qemu)) copyFileSync(process.execPath, qemu);
  return startSleeper(qemu, `file=${directory}/scratch.qcow2`);
}

const running = {
  status: 'running',
  pid: DEAD_PID,
  pid_start: 1,
  started_at: '2026-01-02T03:04:05Z',
} as const;

test('sound boxes cost neither a lock nor a write', async () => {
  const layout = await homeWith({ status: 'stopped', exit_code: 0 });
  const before = statSync(layout.boxesFile, { bigint: true });
  const lock = statSync(layout.boxesLock, { bigint: true });
  expect(await reconcile(layout)).toEqual([sampleRecordIn(layout, { status: 'stopped', exit_code: 0 })]);
  const after = statSync(layout.boxesFile, { bigint: true });
  expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  expect(statSync(layout.boxesLock, { bigint: true }).mtimeNs).toBe(lock.mtimeNs);
});

test('a live box is left alone', async () => {
  const layout = await homeWith({ status: 'created' });
  const monitor = await fakeProcess(layout, 'monitor');
  const pid = monitor.pid ?? 0;
  const live = { ...running, pid, pid_start: processStart(pid) };
  await updateBoxes(layout, (boxes) => void Object.assign(boxes[0] ?? {}, live));
  expect(await reconcile(layout)).toEqual([sampleRecordIn(layout, live)]);
  expect(monitor.exitCode ?? monitor.signalCode).toBeNull();
});

test.each(['running', 'paused'] as const)(
  'a %s box without its monitor is dead, and its VM is killed',
  async (status) => {
    const layout = await homeWith({ ...running, status });
    const vm = await fakeProcess(layout, 'vm');
    mkdirSync(join(layout.boxesDir, SHORT_ID, 'sockets'));
    const [box] = await reconcile(layout);
    expect(box).toMatchObject({
      status: 'dead',
      pid: null,
      pid_start: null,
      exit_code: 137,
      error: `its monitor (process ${DEAD_PID}) vanished, and what was left of its VM was killed`,
    });
    expect(Date.parse(box?.finished_at ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect(await ended(vm)).toBeNull();
    expect(readdirSync(join(layout.boxesDir, SHORT_ID))).toEqual([]);
    expect(await readBoxes(layout)).toEqual([box]);
  },
);

test.each([
  ['always', 'restarting', 1],
  ['unless-stopped', 'restarting', 1],
  ['on-failure:1', 'restarting', 1],
  ['no', 'dead', 0],
])('a box with %s that lost its monitor is %s', async (restart_policy, status, restart_count) => {
  const layout = await homeWith({ ...running, restart_policy, health: 'healthy' });
  const expected = { status, restart_count, pid: null, pid_start: null, exit_code: 137, health: 'unhealthy' };
  expect(await reconcile(layout)).toMatchObject([expected]);
  // It waits for somebody to start it, and is not lost again.
  expect(await reconcile(layout)).toMatchObject([expected]);
});

test.each(['always', 'unless-stopped', 'on-failure', 'no'])(
  'a box with %s that lost its monitor while a user stopped it is stopped',
  async (restart_policy) => {
    const layout = await homeWith({ ...running, restart_policy, stopped_by_user: true });
    const expected = { status: 'stopped', restart_count: 0, pid: null, pid_start: null, exit_code: 137 };
    expect(await reconcile(layout)).toMatchObject([{ ...expected, stopped_by_user: true }]);
  },
);

test('a box that lost its monitor before its restart, and was being stopped, keeps the end it had', async () => {
  const end = { exit_code: 3, finished_at: '2026-01-02T03:05:05Z', restart_count: 4, stopped_by_user: true };
  const layout = await homeWith({ ...running, ...end, status: 'restarting', restart_policy: 'always' });
  expect(await reconcile(layout)).toMatchObject([{ ...end, status: 'stopped', pid: null }]);
});

test('on-failure:N is not restarted once more than N times', async () => {
  const layout = await homeWith({ ...running, restart_policy: 'on-failure:2', restart_count: 2 });
  expect(await reconcile(layout)).toMatchObject([{ status: 'dead', restart_count: 2 }]);
});

test('a box that lost its monitor before its restart waits for it as it was', async () => {
  const end = { exit_code: 3, finished_at: '2026-01-02T03:05:05Z', restart_count: 4 };
  const layout = await homeWith({ ...running, ...end, status: 'restarting', restart_policy: 'on-failure:4' });
  expect(await reconcile(layout)).toMatchObject([{ ...end, status: 'restarting', pid: null }]);
});

test('a PID that another process has got does not fool it', async () => {
  const layout = await homeWith({
    ...running,
    pid: process.pid,
    pid_start: (processStart(process.pid) ?? 0) - 1,
  });
  expect((await reconcile(layout))[0]?.status).toBe('dead');
});

test('a box with --rm that lost its monitor is gone without a trace', async () => {
  const layout = await homeWith({ ...running, auto_remove: true });
  const vm = await fakeProcess(layout, 'vm');
  expect(await reconcile(layout)).toEqual([]);
  expect(await ended(vm)).toBeNull();
  expect(readdirSync(layout.boxesDir)).toEqual([]);
});

test.each([
  ['created', null],
  ['stopped', '2026-01-02T03:04:05Z'],
] as const)('a start that was killed leaves the box %s, and no process', async (status, started_at) => {
  const layout = await homeWith({ status: 'starting', pid: DEAD_PID, pid_start: 1, started_at });
  const leftovers = [await fakeProcess(layout, 'monitor'), await fakeProcess(layout, 'vm')];
  const [box] = await reconcile(layout);
  expect(box).toMatchObject({
    status,
    pid: null,
    error: `the command that was starting it (process ${DEAD_PID}) was killed`,
  });
  expect(await Promise.all(leftovers.map(ended))).toEqual([null, null]);
});

test('a start in progress is left alone', async () => {
  const starting = { status: 'starting', pid: process.pid, pid_start: processStart(process.pid) } as const;
  const layout = await homeWith(starting);
  const monitor = await fakeProcess(layout, 'monitor');
  expect(await reconcile(layout)).toEqual([sampleRecordIn(layout, starting)]);
  expect(monitor.exitCode ?? monitor.signalCode).toBeNull();
});

test('a directory without a record is removed with the VM that uses it', async () => {
  const layout = await homeWith({});
  mkdirSync(join(layout.boxesDir, '0123456789ab'));
  writeFileSync(join(layout.boxesDir, '0123456789ab', 'scratch.qcow2'), 'x');
  const processes = [
    await fakeProcess(layout, 'monitor', '0123456789ab'),
    await fakeProcess(layout, 'vm', '0123456789ab'),
  ];
  await reconcile(layout);
  expect(await Promise.all(processes.map(ended))).toEqual([null, null]);
  expect(readdirSync(layout.boxesDir)).toEqual([SHORT_ID]);
});

test('a monitor on its last steps, without a VM, may finish', async () => {
  const layout = await homeWith({});
  mkdirSync(join(layout.boxesDir, '0123456789ab'));
  const monitor = await fakeProcess(layout, 'monitor', '0123456789ab');
  await reconcile(layout);
  expect(monitor.exitCode ?? monitor.signalCode).toBeNull();
});

test('what is no directory of a box is left alone', async () => {
  const layout = await homeWith({});
  mkdirSync(join(layout.boxesDir, 'notes'));
  await reconcile(layout);
  expect(readdirSync(layout.boxesDir)).toEqual([SHORT_ID, 'notes']);
});

test('directories are kept while a damaged boxes.json that may know them is there', async () => {
  const layout = await homeWith({});
  writeFileSync(layout.boxesFile, 'garbage');
  const warnings: string[] = [];
  expect(await reconcile(layout, (line) => warnings.push(line))).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(await reconcile(layout, (line) => warnings.push(line))).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(readdirSync(layout.boxesDir)).toEqual([SHORT_ID]);
});

test('ten commands that repair at once agree', async () => {
  const layout = await homeWith(running, {
    ...running,
    id: '4e54fbf9-99f5-4c1b-8d2e-0123456789ab',
    short_id: '4e54fbf999f5',
    name: 'other',
    auto_remove: true,
  });
  const seen = await Promise.all(Array.from({ length: 10 }, () => reconcile(layout)));
  const states = seen.map((boxes) => boxes.map((box) => [box.name, box.status]));
  expect(states).toEqual(Array.from({ length: 10 }, () => [['brave_otter', 'dead']]));
});
