/** What a crash of many boxes at once costs: /proc is read as often as for one. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';

import { readBoxes, updateBoxes } from '../../../src/state/boxes-file.ts';
import { type Layout, layoutOf } from '../../../src/state/layout.ts';
import { reconcile } from '../../../src/state/reconcile.ts';
import { sampleRecord } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { ended, startMonitor } from './fixture/child.ts';

// As it is, and counted.
vi.mock('node:fs', { spy: true });

/** No process has it: above the kernel's highest. */
const DEAD_PID = 4_194_305;
const MANY = 40;

const scans = (): number => vi.mocked(readdirSync).mock.calls.filter(([path]) => path === '/proc').length;

beforeEach(() => void vi.mocked(readdirSync).mockClear());

const shortId = (n: number): string => (0x3e54fbf99000 + n).toString(16);

async function homeWithLost(count: number): Promise<Layout> {
  const layout = layoutOf(join(temporaryDirectory(), 'home'));
  await updateBoxes(layout, (boxes) => {
    for (let n = 0; n < count; n += 1) {
      boxes.push(
        sampleRecord({
          id: `${shortId(n).slice(0, 8)}-${shortId(n).slice(8)}-4c1b-8d2e-0123456789ab`,
          short_id: shortId(n),
          name: `box${n}`,
          status: 'running',
          pid: DEAD_PID,
          pid_start: 1,
          started_at: '2026-01-02T03:04:05Z',
          auto_remove: n % 2 === 1,
        }),
      );
    }
  });
  for (let n = 0; n < count; n += 1) mkdirSync(join(layout.boxesDir, shortId(n)), { recursive: true });
  return layout;
}

test('boxes that a reboot has taken are put right with one look at all processes', async () => {
  const layout = await homeWithLost(MANY);
  const boxes = await reconcile(layout);
  expect(boxes.map(({ status }) => status)).toEqual(Array.from({ length: MANY / 2 }, () => 'dead'));
  expect(readdirSync(layout.boxesDir)).toHaveLength(MANY / 2);
  expect(scans()).toBe(1);
});

test('directories that nothing has an entry for are removed with two', async () => {
  const layout = await homeWithLost(0);
  for (let n = 0; n < MANY; n += 1) mkdirSync(join(layout.boxesDir, shortId(n)), { recursive: true });
  await reconcile(layout);
  expect(readdirSync(layout.boxesDir)).toEqual([]);
  expect(scans()).toBe(2);
});

test('builds that a reboot has ended are swept away with one', async () => {
  const layout = await homeWithLost(0);
  for (let n = 0; n < MANY; n += 1)
    mkdirSync(join(layout.buildsDir, `vm-4194305-1-${n}`), { recursive: true });
  await reconcile(layout);
  expect(readdirSync(layout.buildsDir)).toEqual([]);
  expect(scans()).toBe(1);
});

test('what is left of several boxes is killed, each with its own processes', async () => {
  const layout = await homeWithLost(4);
  const left = await Promise.all([0, 1, 3].map((n) => startMonitor(join(layout.boxesDir, shortId(n)))));
  const other = await startMonitor(join(layout.boxesDir, 'ffffffffffff'));
  await reconcile(layout);
  expect(await Promise.all(left.map(ended))).toEqual([null, null, null]);
  expect(other.exitCode ?? other.signalCode).toBeNull();
  expect((await readBoxes(layout)).map(({ status }) => status)).toEqual(['dead', 'dead']);
});
