import { expect, test } from 'vitest';

import { listBoxes } from '../../../src/engine/list.ts';
import { processStart } from '../../../src/state/processes.ts';
import { addBoxes, testEngine } from './fixture/engine.ts';

const live = { status: 'running', pid: process.pid, pid_start: processStart(process.pid) } as const;

async function engineWithBoxes() {
  const engine = testEngine();
  await addBoxes(
    engine,
    { name: 'web', ...live, labels: { tier: 'front', debug: '' } },
    { name: 'db', status: 'stopped', exit_code: 3, image: 'other', labels: { tier: 'back' } },
    { name: 'job', status: 'created', image_id: engine.imageId },
    { name: 'lost', status: 'dead', exit_code: 137 },
    { name: 'web2', ...live, status: 'paused' },
  );
  return engine;
}

async function names(filters: string[], all = false, last?: number): Promise<string[]> {
  const engine = await engineWithBoxes();
  return (await listBoxes(engine, { all, filters, last })).map(({ name }) => name);
}

test('boxes that are up are listed, newest first; all of them when asked', async () => {
  expect(await names([])).toEqual(['web2', 'web']);
  expect(await names([], true)).toEqual(['web2', 'lost', 'job', 'db', 'web']);
});

test('the last ones are listed whatever their state', async () => {
  expect(await names([], false, 3)).toEqual(['web2', 'lost', 'job']);
});

test.each([
  [['status=exited'], ['db']],
  [['status=stopped'], ['db']],
  [['status=created'], ['job']],
  [['status=dead'], ['lost']],
  [['status=restarting'], []],
  [
    ['status=running', 'status=paused'],
    ['web2', 'web'],
  ],
  [['status=running', 'name=db'], []],
])('filter %j needs no --all', async (filters, expected) => {
  expect(await names(filters)).toEqual(expected);
});

test.each([
  [['name=web'], ['web2', 'web']],
  [['name=^/web$'], ['web']],
  [['name=^web$'], ['web']],
  [['name=we['], []],
  [['id=10000001'], ['db']],
  [['id=1000000199f54c1b'], ['db']],
  [['label=tier'], ['db', 'web']],
  [['label=tier=front'], ['web']],
  [['label=tier=front', 'label=debug'], ['web']],
  [['label=tier=front', 'label=tier=back'], []],
  [['label=toString'], []],
  [['exited=3'], ['db']],
  [['exited=137'], []],
  [['ancestor=other'], ['db']],
  [['ancestor=a3s/base:latest'], ['job']],
  [['before=job'], ['db', 'web']],
  [['since=job'], ['web2', 'lost']],
])('filter %j', async (filters, expected) => {
  expect(await names(filters, true)).toEqual(expected);
});

test.each([
  ['foo=1', 'usage', "invalid filter 'foo'"],
  ['status=up', 'usage', "invalid filter 'status=up'"],
  ['exited=x', 'usage', "invalid filter 'exited=x'"],
  ['name', 'usage', "invalid filter 'name'"],
  ['health=healthy', 'unsupported', 'the filter health is not supported yet'],
  ['constructor=1', 'usage', "invalid filter 'constructor'"],
  ['before=nosuch', 'no_such_box', 'No such container: nosuch'],
])('filter %s is refused (%s)', async (filter, code, message) => {
  await expect(names([filter], true)).rejects.toMatchObject({ code, message });
});
