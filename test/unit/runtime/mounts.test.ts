import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { directoryShares, planMounts } from '../../../src/runtime/monitor/mounts.ts';
import { sweepFills } from '../../../src/runtime/monitor/volume-share.ts';
import type { VolumeMount } from '../../../src/state/record.ts';
import { sampleBind, sampleRecord } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';

const bind = (source: string, target: string, read_only = false): VolumeMount =>
  sampleBind(source, target, { read_only });
const volume = (name: string, home: string, changes: Partial<VolumeMount> = {}): VolumeMount => {
  const source = join(home, name, '_data');
  mkdirSync(source, { recursive: true });
  return sampleBind(source, '/data', { type: 'volume', name, copy: true, ...changes });
};

test('a directory is exported as it is', () => {
  const dir = temporaryDirectory();
  const record = sampleRecord({ volumes: [bind(dir, '/data', true)] });
  expect(planMounts(record, join(dir, 'shares'))).toEqual({
    shares: [{ path: dir, readOnly: true, owners: 'drop' }],
    mounts: [{ type: 'share', tag: 'share0', subpath: '', target: '/data', read_only: true }],
  });
});

test('a file is exported through a link of its own, so that its neighbours stay outside', () => {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, 'secret'), 's');
  writeFileSync(join(dir, 'config'), 'c');
  const shares = join(dir, 'shares');
  const record = sampleRecord({ volumes: [bind(join(dir, 'config'), '/etc/config')] });
  const plan = planMounts(record, shares);
  expect(plan).toEqual({
    shares: [{ path: join(shares, 'rw'), readOnly: false, owners: 'drop' }],
    mounts: [{ type: 'share', tag: 'share0', subpath: '0/config', target: '/etc/config', read_only: false }],
  });
  expect(readdirSync(join(shares, 'rw', '0'))).toEqual(['config']);
  expect(statSync(join(shares, 'rw', '0', 'config')).ino).toBe(statSync(join(dir, 'config')).ino);
});

test('a symbolic link stands for the file it leads to', () => {
  const dir = temporaryDirectory();
  const shares = join(dir, 'shares');
  writeFileSync(join(dir, 'config'), 'c');
  symlinkSync('config', join(dir, 'link'));
  const plan = planMounts(sampleRecord({ volumes: [bind(join(dir, 'link'), '/f')] }), shares);
  expect(plan.mounts).toMatchObject([{ subpath: '0/config', target: '/f' }]);
  expect(lstatSync(join(shares, 'rw', '0', 'config')).isFile()).toBe(true);
  expect(readFileSync(join(shares, 'rw', '0', 'config'), 'utf8')).toBe('c');
});

test('the link of an earlier start is made anew', () => {
  const dir = temporaryDirectory();
  const shares = join(dir, 'shares');
  mkdirSync(join(shares, 'rw', '0'), { recursive: true });
  writeFileSync(join(dir, 'old'), 'old');
  writeFileSync(join(dir, 'new'), 'new');
  linkSync(join(dir, 'old'), join(shares, 'rw', '0', 'old'));
  planMounts(sampleRecord({ volumes: [bind(join(dir, 'new'), '/f')] }), shares);
  expect(readdirSync(join(shares, 'rw', '0'))).toEqual(['new']);
});

test('a mount below another comes after it, whatever their kinds and order', () => {
  const dir = temporaryDirectory();
  const record = sampleRecord({
    volumes: [bind(dir, '/a/b/c', true), bind(dir, '/a')],
    tmpfs: [{ target: '/a/b', options: '', from_mount: false }],
  });
  const { mounts } = planMounts(record, join(dir, 'shares'));
  expect(mounts.map((mount) => mount.target)).toEqual(['/a', '/a/b', '/a/b/c']);
  expect(mounts.map((mount) => (mount.type === 'share' ? mount.tag : 'tmpfs'))).toEqual([
    'share1',
    'tmpfs',
    'share0',
  ]);
});

test('options of a tmpfs follow the defaults, so that they win', () => {
  const record = sampleRecord({
    tmpfs: [
      { target: '/run', options: '', from_mount: false },
      { target: '/tmp', options: 'exec,size=64k', from_mount: true },
    ],
  });
  expect(planMounts(record, '/nowhere').mounts).toEqual([
    { type: 'tmpfs', target: '/run', options: 'rw,nosuid,nodev,noexec' },
    { type: 'tmpfs', target: '/tmp', options: 'rw,nosuid,nodev,noexec,exec,size=64k' },
  ]);
});

test('a source that has gone is named', () => {
  const record = sampleRecord({ volumes: [bind('/no/such/source', '/data')] });
  expect(() => planMounts(record, '/nowhere')).toThrow(
    expect.objectContaining({
      code: 'invalid_config',
      message: 'bind source path does not exist: /no/such/source',
    }),
  );
});

test('mounts of one directory, and files, share a slot', () => {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, 'a'), 'a');
  writeFileSync(join(dir, 'b'), 'b');
  const shares = join(dir, 'shares');
  const volumes = [
    bind(dir, '/one'),
    bind(join(dir, 'a'), '/a'),
    bind(dir, '/two'),
    bind(join(dir, 'b'), '/b'),
    bind(dir, '/three', true),
  ];
  const plan = planMounts(sampleRecord({ volumes }), shares);
  expect(plan.shares.map(({ path }) => path)).toEqual([dir, join(shares, 'rw'), dir]);
  expect(
    plan.mounts.map((mount) => (mount.type === 'share' ? [mount.target, mount.tag, mount.subpath] : [])),
  ).toEqual([
    ['/one', 'share0', ''],
    ['/a', 'share1', '1/a'],
    ['/two', 'share0', ''],
    ['/b', 'share1', '3/b'],
    ['/three', 'share2', ''],
  ]);
});

test('an empty volume is exported writable and filled, even for a mount that is read-only', () => {
  const home = temporaryDirectory();
  const volumes = [volume('v1', home, { read_only: true })];
  expect(planMounts(sampleRecord({ volumes }), join(home, 'shares'))).toMatchObject({
    shares: [{ path: join(home, 'v1'), readOnly: false }],
    mounts: [{ tag: 'share0', subpath: '_data', target: '/data', read_only: true, fill: true }],
  });
});

test.each([
  ['that has files', { copy: true }, true],
  ['that is not to be filled', { copy: false }, false],
] as const)('a volume %s is exported with the rights of its mount', (_, changes, used) => {
  const home = temporaryDirectory();
  const volumes = [volume('v1', home, { ...changes, read_only: true })];
  if (used) writeFileSync(join(home, 'v1', '_data', 'file'), 'x');
  expect(planMounts(sampleRecord({ volumes }), join(home, 'shares'))).toMatchObject({
    shares: [{ path: join(home, 'v1'), readOnly: true }],
    mounts: [{ type: 'share', tag: 'share0', subpath: '_data', target: '/data', read_only: true }],
  });
});

test('a volume that has gone is named', () => {
  const home = temporaryDirectory();
  const volumes = [sampleBind(join(home, 'v1', '_data'), '/data', { type: 'volume', name: 'v1' })];
  expect(() => planMounts(sampleRecord({ volumes }), join(home, 'shares'))).toThrow('get v1: no such volume');
});

test('what killed boxes left of a fill is removed, what others are making is not', () => {
  const share = temporaryDirectory();
  const id = (digit: string): string => digit.repeat(32);
  for (const name of ['_data', `_fill-${id('a')}`, `_fill-${id('b')}`])
    mkdirSync(join(share, name, 'sub'), { recursive: true });
  sweepFills(share, ['bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb']);
  expect(readdirSync(share).toSorted()).toEqual(['_data', `_fill-${id('b')}`]);
});

test('what of the host a box with whole directories needs is known ahead, and nothing is made for it', () => {
  const dir = temporaryDirectory();
  const shares = join(dir, 'shares');
  const volumes = [
    bind(dir, '/a'),
    volume('logs', dir, { read_only: true }),
    bind(dir, '/b', true),
    bind(dir, '/c'),
  ];
  const ahead = directoryShares(sampleRecord({ volumes }));
  expect(ahead).toHaveLength(3);
  expect(ahead).toEqual(planMounts(sampleRecord({ volumes }), shares).shares);
  writeFileSync(join(dir, 'file'), '');
  expect(
    directoryShares(sampleRecord({ volumes: [bind(dir, '/a'), bind(join(dir, 'file'), '/f')] })),
  ).toBeNull();
  expect(readdirSync(dir).toSorted()).toEqual(['file', 'logs']);
  const gone = sampleRecord({ volumes: [bind(join(dir, 'gone'), '/f')] });
  expect(() => directoryShares(gone)).toThrow(/bind source path does not exist/);
});
