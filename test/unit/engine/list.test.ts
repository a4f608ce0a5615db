import { expect, test } from 'vitest';

import { listBoxes } from '../../../src/engine/list.ts';
import { processStart } from '../../../src/state/processes.ts';
import { sampleBind } from '../../sample-record.ts';
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
  ['is-task=true', 'unsupported', 'the filter is-task is not supported yet'],
  ['health=well', 'usage', "invalid filter 'health=well'"],
  ['publish=99999', 'usage', "invalid filter 'publish=99999'"],
  ['expose=90-80', 'usage', "invalid filter 'expose=90-80'"],
  ['constructor=1', 'usage', "invalid filter 'constructor'"],
  ['before=nosuch', 'no_such_box', 'No such container: nosuch'],
])('filter %s is refused (%s)', async (filter, code, message) => {
  await expect(names([filter], true)).rejects.toMatchObject({ code, message });
});

test.for<[string[], string[]]>([
  [['expose=80'], ['up']],
  [['expose=70-90/tcp'], ['up']],
  [['expose=80/udp'], []],
  [['expose=8080'], ['up', 'down']],
  [['publish=8080'], ['up']],
  [['health=healthy'], ['up']],
  // As `inspect` says of a box that has ended.
  [['health=unhealthy'], ['down']],
  [['health=none'], ['alone']],
  [['volume=data'], ['up']],
  [['volume=/data'], ['up']],
  [['volume=/var/volumes/data'], []],
  [['volume=/home/me'], ['down']],
  [['volume=/me'], ['down']],
  [['network=none'], ['alone']],
  [['network=bridge'], ['up', 'down']],
])('filter %j', async ([filters, expected]) => {
  const engine = testEngine();
  const port_map = [{ host_ip: '0.0.0.0', host_port: 1, guest_port: 8080, protocol: 'tcp' }] as const;
  const live = { pid: process.pid, pid_start: processStart(process.pid) };
  await addBoxes(
    engine,
    { name: 'alone', network: 'none' },
    { name: 'down', port_map: [...port_map], health: 'unhealthy', volumes: [sampleBind('/home/me', '/me')] },
    {
      name: 'up',
      status: 'running',
      ...live,
      port_map: [...port_map],
      exposed_ports: [{ guest_port: 80, protocol: 'tcp' }],
      health: 'healthy',
      volumes: [{ ...sampleBind('/var/volumes/data', '/data'), type: 'volume', name: 'data' }],
    },
  );
  const boxes = await listBoxes(engine, { all: true, filters, last: undefined });
  expect(boxes.map(({ name }) => name)).toEqual(expected);
});
