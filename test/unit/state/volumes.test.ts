import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { updateBoxes } from '../../../src/state/boxes-file.ts';
import { type Layout, layoutOf, volumePaths } from '../../../src/state/layout.ts';
import { reconcile } from '../../../src/state/reconcile.ts';
import { deleteBox } from '../../../src/state/box-updates.ts';
import { checkVolumeName } from '../../../src/state/volume-record.ts';
import {
  addVolume,
  anonymousName,
  dropVolume,
  emptyTrash,
  readVolume,
  volumeNames,
} from '../../../src/state/volumes.ts';
import { sampleBind, sampleRecordIn } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';

const newLayout = (): Layout => layoutOf(join(temporaryDirectory(), 'home'));
const mode = (path: string): number => statSync(path).mode & 0o777;

test('a volume has a directory that only its data is in, and a record beside it', async () => {
  const layout = newLayout();
  const record = await addVolume(layout, 'data', { a: 'b' });
  expect(record).toMatchObject({ version: 1, name: 'data', labels: { a: 'b' }, options: {} });
  expect(readVolume(layout, 'data')).toEqual(record);
  const { share, data, record: file } = volumePaths(layout, 'data');
  expect(readdirSync(share)).toEqual(['_data']);
  expect([mode(share), mode(data), mode(file)]).toEqual([0o700, 0o755, 0o600]);
});

test('names are listed in order, without what is being written', async () => {
  const layout = newLayout();
  expect(volumeNames(layout)).toEqual([]);
  for (const name of ['b1', 'a1', 'a1.json']) await addVolume(layout, name);
  writeFileSync(join(layout.volumesDir, '.records', 'c1.json.tmp'), '{');
  expect(volumeNames(layout)).toEqual(['a1', 'a1.json', 'b1']);
});

test('what a crash left of a volume is not found, and not in the next one', async () => {
  const layout = newLayout();
  const { data } = volumePaths(layout, 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'old'), '');
  expect(readVolume(layout, 'data')).toBeNull();
  await addVolume(layout, 'data');
  expect(readdirSync(data)).toEqual([]);
});

test('a dropped volume is gone at once, its files with the trash', async () => {
  const layout = newLayout();
  await addVolume(layout, 'data');
  writeFileSync(join(volumePaths(layout, 'data').data, 'file'), '');
  dropVolume(layout, 'data');
  expect(readVolume(layout, 'data')).toBeNull();
  await addVolume(layout, 'data');
  expect(readdirSync(layout.volumesDir).toSorted()).toEqual([
    expect.stringMatching(/^\.gone-[0-9a-f]{16}$/),
    '.records',
    'data',
  ]);
  emptyTrash(layout);
  expect(readdirSync(layout.volumesDir).toSorted()).toEqual(['.records', 'data']);
});

test.each(['{', 'null', '{"version":2}', '{"version":1,"name":"other","created_at":"x"}'])(
  'a record that is %j is damaged, and named',
  async (text) => {
    const layout = newLayout();
    await addVolume(layout, 'data');
    const { record } = volumePaths(layout, 'data');
    writeFileSync(record, text);
    expect(() => readVolume(layout, 'data')).toThrow(
      expect.objectContaining({
        code: 'state_corrupt',
        message: expect.stringMatching(new RegExp(`^the volume record ${record} is damaged: `)),
      }),
    );
  },
);

test.each(['../boxes', '.records', 'a/b', ''])('%j names no volume', async (name) => {
  const layout = newLayout();
  await addVolume(layout, 'data');
  expect(readVolume(layout, name)).toBeNull();
  dropVolume(layout, name);
  expect(volumeNames(layout)).toEqual(['data']);
});

test.each([
  ['a', 'create a: volume name is too short, names should be at least two alphanumeric characters'],
  [
    'a/b',
    'create a/b: "a/b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]"',
  ],
  ['x'.repeat(241), 'volume name is too long'],
])('%j is refused as a name', (name, message) => {
  expect(() => checkVolumeName(name)).toThrow(message);
});

test('a box that is deleted takes its anonymous volumes, but none that another box mounts', async () => {
  const layout = newLayout();
  const [own, shared] = [anonymousName(), anonymousName()];
  for (const name of [own, shared, 'named']) await addVolume(layout, name);
  const mount = (name: string) =>
    sampleBind('/v', `/${name}`, { type: 'volume', name, anonymous: name !== 'named' });
  const first = sampleRecordIn(layout, { volumes: [own, shared, 'named'].map(mount) });
  const other = {
    id: '4e54fbf9-99f5-4c1b-8d2e-0123456789ab',
    short_id: '4e54fbf999f5',
    name: 'other',
    volumes: [mount(shared)],
  };
  await updateBoxes(layout, (boxes) => void boxes.push(first, sampleRecordIn(layout, other)));
  await deleteBox(layout, first.id);
  expect(volumeNames(layout)).toEqual(['named', shared].toSorted());
  expect(existsSync(volumePaths(layout, own).share)).toBe(false);
});

test('a box with --rm that vanished leaves no anonymous volume', async () => {
  const layout = newLayout();
  const name = anonymousName();
  await addVolume(layout, name);
  const volumes = [sampleBind('/v', '/v', { type: 'volume', name, anonymous: true })];
  const lost = { status: 'running' as const, pid: 2 ** 22 + 1, pid_start: 1, auto_remove: true, volumes };
  await updateBoxes(layout, (boxes) => void boxes.push(sampleRecordIn(layout, lost)));
  expect(await reconcile(layout)).toEqual([]);
  expect(volumeNames(layout)).toEqual([]);
  expect(readdirSync(layout.volumesDir)).toEqual(['.records']);
});

test('the place of a volume is that of the state directory, wherever it was moved to', async () => {
  const layout = newLayout();
  const volumes = [sampleBind('/old/home/volumes/data/_data', '/v', { type: 'volume', name: 'data' })];
  await updateBoxes(layout, (boxes) => void boxes.push(sampleRecordIn(layout, { volumes })));
  const [box] = await reconcile(layout);
  expect(box?.volumes[0]?.source).toBe(volumePaths(layout, 'data').data);
  rmSync(layout.home, { recursive: true });
});
