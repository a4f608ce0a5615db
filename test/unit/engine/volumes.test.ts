import { existsSync, linkSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { createBox } from '../../../src/engine/create.ts';
import { inspectObject } from '../../../src/engine/inspect.ts';
import { removeBox } from '../../../src/engine/remove.ts';
import { bindRequest, volumeRequest } from '../../../src/engine/volumes/mount-request.ts';
import { withImageVolumes } from '../../../src/engine/volumes/provide.ts';
import { pruneVolumes } from '../../../src/engine/volumes/prune.ts';
import {
  createVolume,
  inspectVolume,
  listVolumes,
  removeVolume,
} from '../../../src/engine/volumes/volumes.ts';
import { volumePaths } from '../../../src/state/layout.ts';
import { volumeNames } from '../../../src/state/volumes.ts';
import { createOptions, testEngine, type TestEngine } from './fixture/engine.ts';

const make = (engine: TestEngine, name: string | undefined, labels = {}): Promise<string> =>
  createVolume(engine, { name, driver: 'local', labels, options: [] });
const everything = { all: true, matches: () => true };

test('a volume is shown as Docker shows it', async () => {
  const engine = testEngine();
  expect(await make(engine, 'data', { k: 'v' })).toBe('data');
  expect(inspectVolume(engine, 'data')).toEqual({
    CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    Driver: 'local',
    Labels: { k: 'v' },
    Mountpoint: volumePaths(engine.layout, 'data').data,
    Name: 'data',
    Options: null,
    Scope: 'local',
  });
  expect(await inspectObject(engine, 'data')).toEqual(inspectVolume(engine, 'data'));
});

test('a volume without a name gets 64 digits and a label', async () => {
  const engine = testEngine();
  const name = await make(engine, undefined);
  expect(name).toMatch(/^[0-9a-f]{64}$/);
  expect(inspectVolume(engine, name).Labels).toEqual({ 'com.docker.volume.anonymous': '' });
});

test('one that is there stays as it is', async () => {
  const engine = testEngine();
  await make(engine, 'data', { k: 'v' });
  writeFileSync(join(volumePaths(engine.layout, 'data').data, 'file'), '');
  await make(engine, 'data', { other: 'label' });
  expect(inspectVolume(engine, 'data').Labels).toEqual({ k: 'v' });
  expect(readdirSync(volumePaths(engine.layout, 'data').data)).toEqual(['file']);
});

test.each([
  [{ driver: 'nfs' }, 'error looking up volume plugin nfs: plugin "nfs" not found'],
  [{ options: ['type=tmpfs'] }, 'volume options are not supported: type=tmpfs'],
  [{ options: ['foo=1'] }, 'create data: invalid option: "foo"'],
  [{ name: 'a/b' }, 'create a/b: "a/b" includes invalid characters'],
])('%j is refused', async (changes, message) => {
  const engine = testEngine();
  const options = { name: 'data', driver: 'local', labels: {}, options: [], ...changes };
  await expect(createVolume(engine, options)).rejects.toThrow(message);
  expect(volumeNames(engine.layout)).toEqual([]);
});

test('a box makes the volumes it lacks, and keeps others from removing them', async () => {
  const engine = testEngine({ Cmd: ['sh'], Volumes: { '/var/lib/app': {} } });
  const volumes = [volumeRequest({ source: 'data', target: '/d', labels: { a: 'b' } })];
  const box = await createBox(engine, createOptions({ volumes }));
  const [named, anonymous] = box.volumes;
  expect(named).toMatchObject({ name: 'data', anonymous: false, mode: 'z', origin: 'binds' });
  expect(anonymous).toMatchObject({ target: '/var/lib/app', anonymous: true, mode: '', origin: 'volumes' });
  expect(inspectVolume(engine, 'data').Labels).toEqual({ a: 'b' });
  expect((await listVolumes(engine)).map(({ inUse }) => inUse)).toEqual([true, true]);
  await expect(removeVolume(engine, 'data', { force: true })).rejects.toMatchObject({
    code: 'volume_in_use',
    message: `remove data: volume is in use - [${box.id}]`,
  });
  await removeBox(engine, box.id, { force: false, volumes: true });
  expect(volumeNames(engine.layout)).toEqual(['data']);
  await removeVolume(engine, 'data', { force: false });
  expect(existsSync(volumePaths(engine.layout, 'data').share)).toBe(false);
});

test('a volume that is not there', async () => {
  const engine = testEngine();
  const missing = { code: 'no_such_volume', message: 'get nosuch: no such volume' };
  await expect(removeVolume(engine, 'nosuch', { force: false })).rejects.toMatchObject(missing);
  await removeVolume(engine, 'nosuch', { force: true });
  await expect(inspectObject(engine, 'nosuch', 'volume')).rejects.toMatchObject(missing);
  await expect(inspectObject(engine, 'nosuch')).rejects.toThrow('No such object: nosuch');
});

test('a box that could not be made leaves no anonymous volume', async () => {
  const engine = testEngine({ Cmd: ['sh'], Volumes: { '/v': {} } });
  const volumes = [bindRequest({ source: '/etc/passwd/nosuch', target: '/data' })];
  await expect(createBox(engine, createOptions({ volumes }))).rejects.toThrow('mount source path');
  expect(volumeNames(engine.layout)).toEqual([]);
});

test('a --mount whose source is missing costs nothing', async () => {
  const engine = testEngine();
  const volumes = [
    volumeRequest({ source: 'data', target: '/d' }),
    bindRequest({ source: '/no/such', target: '/s', makesSource: false }),
  ];
  await expect(createBox(engine, createOptions({ volumes }))).rejects.toMatchObject({
    code: 'invalid_config',
    message: 'invalid mount config for type "bind": bind source path does not exist: /no/such',
  });
  expect(volumeNames(engine.layout)).toEqual([]);
});

test('an image and -v /path ask for volumes only where nothing is mounted', () => {
  const named = volumeRequest({ source: 'data', target: '/a' });
  const wanted = volumeRequest({ target: '/b', mode: '', origin: 'volumes' });
  const tmpfs = { target: '/c', options: '', from_mount: false };
  expect(withImageVolumes([wanted, named], [tmpfs], ['/a', 'b/', '/c', '/d/../e', '/'])).toEqual([
    named,
    wanted,
    { ...wanted, target: '/e' },
  ]);
  expect(() => withImageVolumes([named, { ...named }], [], [])).toThrow('Duplicate mount point: /a');
  expect(() => withImageVolumes([named], [{ ...tmpfs, target: '/a' }], [])).toThrow('Duplicate');
});

test('prune takes anonymous volumes that nobody uses, with --all the others, and counts their bytes once', async () => {
  const engine = testEngine();
  await make(engine, 'kept', { keep: 'yes' });
  await make(engine, 'idle');
  await make(engine, 'used');
  const anonymous = await make(engine, undefined);
  await createBox(engine, createOptions({ volumes: [volumeRequest({ source: 'used', target: '/d' })] }));
  const { data } = volumePaths(engine.layout, anonymous);
  writeFileSync(join(data, 'file'), 'x'.repeat(1000));
  linkSync(join(data, 'file'), join(data, 'twin'));
  expect(await pruneVolumes(engine, { ...everything, all: false })).toEqual({
    names: [anonymous],
    reclaimed: 1000,
  });
  const matches = (labels: Readonly<Record<string, string>>): boolean => labels['keep'] === undefined;
  expect(await pruneVolumes(engine, { all: true, matches })).toEqual({ names: ['idle'], reclaimed: 0 });
  expect(volumeNames(engine.layout)).toEqual(['kept', 'used']);
});
