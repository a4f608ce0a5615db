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

import { planMounts, provideScratch } from '../../../src/runtime/monitor/mounts.ts';
import type { VolumeMount } from '../../../src/state/record.ts';
import { sampleRecord } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';

const bind = (source: string, target: string, read_only = false): VolumeMount => ({
  type: 'bind',
  source,
  target,
  read_only,
});

test('a directory is exported as it is', () => {
  const dir = temporaryDirectory();
  const record = sampleRecord({ volumes: [bind(dir, '/data', true)] });
  expect(planMounts(record, join(dir, 'shares'))).toEqual({
    shares: [{ path: dir, readOnly: true }],
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
    shares: [{ path: join(shares, '0'), readOnly: false }],
    mounts: [{ type: 'share', tag: 'share0', subpath: 'config', target: '/etc/config', read_only: false }],
  });
  expect(readdirSync(join(shares, '0'))).toEqual(['config']);
  expect(statSync(join(shares, '0', 'config')).ino).toBe(statSync(join(dir, 'config')).ino);
});

test('a symbolic link stands for the file it leads to', () => {
  const dir = temporaryDirectory();
  const shares = join(dir, 'shares');
  writeFileSync(join(dir, 'config'), 'c');
  symlinkSync('config', join(dir, 'link'));
  const plan = planMounts(sampleRecord({ volumes: [bind(join(dir, 'link'), '/f')] }), shares);
  expect(plan.mounts).toMatchObject([{ subpath: 'config', target: '/f' }]);
  expect(lstatSync(join(shares, '0', 'config')).isFile()).toBe(true);
  expect(readFileSync(join(shares, '0', 'config'), 'utf8')).toBe('c');
});

test('the link of an earlier start is made anew', () => {
  const dir = temporaryDirectory();
  const shares = join(dir, 'shares');
  mkdirSync(join(shares, '0'), { recursive: true });
  writeFileSync(join(dir, 'old'), 'old');
  writeFileSync(join(dir, 'new'), 'new');
  linkSync(join(dir, 'old'), join(shares, '0', 'old'));
  planMounts(sampleRecord({ volumes: [bind(join(dir, 'new'), '/f')] }), shares);
  expect(readdirSync(join(shares, '0'))).toEqual(['new']);
});

test('a mount below another comes after it, whatever their kinds and order', () => {
  const dir = temporaryDirectory();
  const record = sampleRecord({
    volumes: [bind(dir, '/a/b/c'), bind(dir, '/a')],
    tmpfs: [{ target: '/a/b', options: '' }],
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
      { target: '/run', options: '' },
      { target: '/tmp', options: 'exec,size=64k' },
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

test('a first start copies the blank disk, a later one keeps what is there', () => {
  const dir = temporaryDirectory();
  const original = join(dir, 'original');
  const scratch = join(dir, 'scratch');
  writeFileSync(original, 'blank', { mode: 0o400 });
  writeFileSync(scratch, 'left from a start that failed');
  provideScratch(scratch, original, false);
  expect(readFileSync(scratch, 'utf8')).toBe('blank');
  expect(statSync(scratch).mode & 0o777).toBe(0o600);
  writeFileSync(scratch, 'writes of the box');
  provideScratch(scratch, original, true);
  expect(readFileSync(scratch, 'utf8')).toBe('writes of the box');
});

test('a lost disk is an error, never a blank one in its place', () => {
  const path = join(temporaryDirectory(), 'scratch');
  expect(() => provideScratch(path, '/dev/null', true)).toThrow(
    expect.objectContaining({ code: 'state_corrupt', message: `the box's disk ${path} is missing` }),
  );
});
