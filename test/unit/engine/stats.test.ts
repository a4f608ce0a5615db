import { expect, test, vi } from 'vitest';

import { NO_USE, UsageMeter } from '../../../src/engine/stats.ts';
import * as processes from '../../../src/state/processes.ts';
import { sampleRecord } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';

vi.mock(import('../../../src/state/processes.ts'), { spy: true });

test('however many boxes there are, their VMs are looked for at once, and once', async () => {
  const boxes = (['paused', 'paused', 'stopped'] as const).map((status, index) =>
    sampleRecord({ id: String(index), status, box_dir: temporaryDirectory() }),
  );
  const directories = boxes.slice(0, 2).map(({ box_dir: directory }) => directory);
  const find = vi.mocked(processes.findBoxProcesses);
  find.mockImplementation((...given) =>
    given.map((boxDir) => ({ boxDir, pid: process.pid, start: 1, role: 'vm' })),
  );
  const meter = new UsageMeter();
  // Nothing is known of how they were when they were paused.
  expect(await meter.look(boxes)).toEqual([null, null, NO_USE]);
  expect(await meter.look(boxes)).toEqual([null, null, NO_USE]);
  expect(find.mock.calls).toEqual([directories]);
});
