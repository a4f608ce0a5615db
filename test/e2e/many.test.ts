import { describe, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { inBatches } from './fixture/batches.ts';
import { quietFootprint } from './fixture/footprint.ts';
import { home } from './fixture/home.ts';
import { processesNaming } from './fixture/processes.ts';
import { readBoxesFile } from './fixture/records.ts';

const boxes = boxesOf('many');

describe('20 boxes started at once by 20 processes', () => {
  test('are all recorded, all reachable, and all gone after rm -f', async () => {
    const before = await quietFootprint(home());
    const names = Array.from({ length: 20 }, (_, n) => boxes.name(`n${n}`));

    const started = await Promise.all(
      names.map((name) => a3s(['run', '-d', '--name', name, 'a3s/base', 'sleep', '10000'])),
    );
    expect(started.map(({ status, err }) => ({ status, err }))).toEqual(
      names.map(() => ({ status: 0, err: '' })),
    );

    const records = readBoxesFile().filter((box) => names.includes(box.name));
    expect(records.map((box) => box.status)).toEqual(names.map(() => 'running'));
    expect(new Set(records.map((box) => box.name)).size).toBe(20);
    expect(started.map(({ out }) => out.trim()).toSorted()).toEqual(records.map((box) => box.id).toSorted());
    const live = processesNaming(home());
    expect(live.filter(({ role }) => role === 'vm')).toHaveLength(20);
    expect(live.filter(({ role }) => role === 'monitor')).toHaveLength(20);

    const hosts = await inBatches(records, 10, (box) => a3sOk(['exec', box.name, 'hostname']));
    expect(hosts).toEqual(records.map((box) => box.short_id));
    expect((await a3sOk(['ps', '-q', '--filter', 'name=many-'])).split('\n')).toHaveLength(20);

    expect(await a3s(['rm', '-f', ...names])).toMatchObject({
      status: 0,
      out: names.map((name) => `${name}\n`).join(''),
      err: '',
    });
    expect(await quietFootprint(home())).toEqual(before);
  });

  test('with the same name: one runs, the others fail with 125', async () => {
    const name = boxes.name('same');
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () => a3s(['run', '-d', '--name', name, 'a3s/base', 'sleep', '1000'])),
    );
    const count = (wanted: number): number => outcomes.filter(({ status }) => status === wanted).length;
    expect({ ran: count(0), failed: count(125) }).toEqual({ ran: 1, failed: 5 });
    expect(readBoxesFile().filter((box) => box.name === name)).toHaveLength(1);
  });
});

describe('run --rm', () => {
  test.each([
    ['that ends well', ['a3s/base', 'true'], 0],
    ['that fails', ['a3s/base', 'sh', '-c', 'echo x > /x; exit 9'], 9],
    ['whose command is not found', ['a3s/base', 'nosuch'], 127],
    ['that publishes ports', ['-p', '80', '-p', '53/udp', 'a3s/base', 'true'], 0],
  ])('%s leaves no process, file, socket or lock behind', async (_, words, wanted) => {
    const before = await quietFootprint(home());
    expect(await a3s(['run', '--rm', ...words])).toMatchObject({ status: wanted });
    expect(await quietFootprint(home())).toEqual(before);
  });

  test('of several at once leave nothing behind', async () => {
    const before = await quietFootprint(home());
    const runs = Array.from({ length: 8 }, (_, n) => n);
    const statuses = await inBatches(runs, 4, async (n) => {
      return (await a3s(['run', '--rm', 'a3s/base', 'sh', '-c', `exit ${n}`])).status;
    });
    expect(statuses).toEqual(runs);
    expect(await quietFootprint(home())).toEqual(before);
  });
});
