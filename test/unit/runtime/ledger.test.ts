import { expect, test } from 'vitest';

import { BoxLedger } from '../../../src/runtime/monitor/ledger.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import { addBoxes, testEngine } from '../engine/fixture/engine.ts';

async function started(by: 'policy' | 'user') {
  const engine = testEngine();
  const { layout } = engine;
  const [box] = await addBoxes(engine, { name: 'job', status: 'restarting', stopped_by_user: true });
  if (box === undefined) throw new Error('no box');
  const ledger = new BoxLedger(layout, box);
  await ledger.running([], by);
  const [record] = await readBoxes(layout);
  return { ended: ledger.stoppedByUser, noted: record?.stopped_by_user, status: record?.status };
}

test('a box that its policy starts, and a user has stopped meanwhile, is to end again', async () => {
  expect(await started('policy')).toEqual({ ended: true, noted: true, status: 'running' });
});

test('a box that a user starts runs, whoever stopped it before', async () => {
  expect(await started('user')).toEqual({ ended: false, noted: false, status: 'running' });
});
