import { rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

import { verifyBundle } from '../../../src/runtime/bundle-check.ts';
import { bundleDir, openBundle } from '../../../src/runtime/bundle.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { writeBundle } from './fake-bundle.ts';

test('a whole bundle opens and proves', () => {
  const dir = writeBundle(temporaryDirectory());
  const bundle = openBundle(dir);
  expect(bundle).toMatchObject({
    dir,
    vmlinux: join(dir, 'vmlinux'),
    initramfs: join(dir, 'initramfs'),
    scratch: join(dir, 'scratch.qcow2'),
    kernelVersion: '6.1.0-test',
    agentVersion: '0.1.0',
  });
  expect(bundle.identity.split(' ')).toHaveLength(4);
  expect(() => verifyBundle(bundle)).not.toThrow();
});

test.each(['vmlinux', 'initramfs', 'scratch.qcow2', 'tsc-khz'] as const)(
  'a bundle without its %s is refused',
  (name) => {
    const dir = writeBundle(temporaryDirectory());
    truncateSync(join(dir, name), 3);
    const { size } = statSync(join(dir, name));
    expect(() => openBundle(dir)).toThrow(
      expect.objectContaining({
        code: 'host_setup',
        message: expect.stringContaining(`${join(dir, name)} has ${size} bytes instead of `),
        hint: expect.stringContaining('npm run guest'),
      }),
    );
    rmSync(join(dir, name));
    expect(() => openBundle(dir)).toThrow(`the guest bundle's ${join(dir, name)} is missing`);
  },
);

test('a file that was altered without changing its size or time is named', () => {
  const dir = writeBundle(temporaryDirectory());
  const path = join(dir, 'initramfs');
  const { atime, mtime } = statSync(path);
  writeFileSync(path, 'aGent');
  utimesSync(path, atime, mtime);
  const bundle = openBundle(dir);
  expect(() => verifyBundle(bundle, ['vmlinux', 'scratch.qcow2'])).not.toThrow();
  expect(() => verifyBundle(bundle)).toThrow(`the guest bundle's ${path} is damaged`);
});

test.each([
  ['is no JSON', '{"files":'],
  ['is a list', '[]'],
  ['says nothing of its files', '{}'],
  ['has misshapen entries', '{"files":{"vmlinux":{"sha256":7,"size":"6"}}}'],
])('a manifest that %s is refused', (_name, text) => {
  const dir = writeBundle(temporaryDirectory());
  writeFileSync(join(dir, 'manifest.json'), text);
  expect(() => openBundle(dir)).toThrow(expect.objectContaining({ code: 'host_setup' }));
});

test('the bundle is that of the package unless A3S_GUEST_BUNDLE names another', () => {
  const packaged = fileURLToPath(new URL('../../../dist/guest', import.meta.url));
  expect(bundleDir({})).toBe(packaged);
  expect(bundleDir({ A3S_GUEST_BUNDLE: '' })).toBe(packaged);
  expect(bundleDir({ A3S_GUEST_BUNDLE: '/srv/guest/' })).toBe('/srv/guest');
});
