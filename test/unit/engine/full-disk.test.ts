/** `rm` is what frees space: it works on a disk that has none. */
import { existsSync, mkdirSync } from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';

import { removeBox } from '../../../src/engine/remove.ts';
import { deleteBox } from '../../../src/state/box-updates.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import type * as ReplaceFile from '../../../src/state/replace-file.ts';
import { replaceFile } from '../../../src/state/replace-file.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { addBoxes, testEngine, type TestEngine } from './fixture/engine.ts';

vi.mock('../../../src/state/replace-file.ts', { spy: true });

/** No process has it: above the kernel's highest. */
const DEAD_PID = 4_194_305;
const lost = { status: 'running', pid: DEAD_PID, pid_start: 1, started_at: '2026-01-02T03:04:05Z' } as const;

beforeEach(() => void vi.mocked(replaceFile).mockReset());

/** A box whose directory takes up all the space that there is. */
async function fullDisk(change: Partial<BoxRecord>): Promise<{ engine: TestEngine; box: BoxRecord }> {
  const engine = testEngine();
  const [box] = await addBoxes(engine, { name: 'd1', ...change });
  if (box === undefined) throw new Error('no box');
  mkdirSync(box.box_dir, { recursive: true });
  const real = await vi.importActual<typeof ReplaceFile>('../../../src/state/replace-file.ts');
  vi.mocked(replaceFile).mockImplementation((...args) => {
    if (!existsSync(box.box_dir)) return real.replaceFile(...args);
    return Promise.reject(
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    );
  });
  return { engine, box };
}

test.each([
  ['idle', { status: 'stopped', exit_code: 0 } as const],
  // Its monitor could not write its last state either.
  ['lost', lost],
])('a full disk does not keep an %s box from being removed', async (_name, change) => {
  const { engine, box } = await fullDisk(change);
  await removeBox(engine, 'd1', { force: true, volumes: false });
  expect(await readBoxes(engine.layout)).toEqual([]);
  expect(existsSync(box.box_dir)).toBe(false);
});

test('a full disk does not keep a box of --rm from going', async () => {
  const { engine, box } = await fullDisk({});
  await deleteBox(engine.layout, box.id);
  expect(await readBoxes(engine.layout)).toEqual([]);
});

test('without force a box that seems to run keeps its directory', async () => {
  const { engine, box } = await fullDisk(lost);
  await expect(removeBox(engine, 'd1', { force: false, volumes: false })).rejects.toMatchObject({
    code: 'box_running',
  });
  expect(existsSync(box.box_dir)).toBe(true);
});
