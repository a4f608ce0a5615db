import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';

import { openBundle, type GuestBundle } from '../../../src/runtime/bundle.ts';
import { fileFingerprint, findProgram, loadHostCache } from '../../../src/runtime/host-cache.ts';
import { layoutOf, type Layout } from '../../../src/state/layout.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { writeBundle } from './fake-bundle.ts';

const VERSION_TEXT = 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)';

afterEach(() => vi.unstubAllEnvs());

/** A host with a QEMU that counts how often it is asked. */
function fakeHost(says = VERSION_TEXT): {
  layout: Layout;
  bundle: GuestBundle;
  qemu: string;
  asked: () => number;
} {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, 'bin'));
  const qemu = join(dir, 'bin', 'qemu-system-x86_64');
  writeFileSync(qemu, `#!/bin/sh\necho "$@" >> ${dir}/asked\necho '${says}'\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${join(dir, 'bin')}:/usr/bin:/bin`);
  vi.stubEnv('A3S_BOX_QEMU', undefined);
  const asked = (): number =>
    existsSync(`${dir}/asked`) ? readFileSync(`${dir}/asked`, 'utf8').split('\n').length - 1 : 0;
  return {
    layout: layoutOf(join(dir, 'home')),
    bundle: openBundle(writeBundle(join(dir, 'guest'))),
    qemu,
    asked,
  };
}

test('facts are found once and remembered', () => {
  const { layout, bundle, qemu, asked } = fakeHost();
  const facts = loadHostCache(layout, bundle);
  expect(facts).toEqual({
    qemu: { path: qemu, fingerprint: fileFingerprint(qemu), version: '7.2.22 (Debian 1:7.2+dfsg-7)' },
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    tscKhz: 2_596_100,
    accelerator: null,
  });
  expect(loadHostCache(layout, bundle)).toEqual(facts);
  expect(asked()).toBe(1);
  expect(readFileSync(`${bundle.tscKhz}.runs`, 'utf8')).toBe('run\n');
  expect(statSync(join(layout.cacheDir, 'host.json')).mode & 0o777).toBe(0o600);
});

test('another QEMU is asked again, the time stamp counter is not measured again', () => {
  const { layout, bundle, qemu, asked } = fakeHost();
  loadHostCache(layout, bundle);
  writeFileSync(qemu, readFileSync(qemu, 'utf8').replace('7.2.22', '8.0.0'));
  expect(loadHostCache(layout, bundle).qemu.version).toBe('8.0.0 (Debian 1:7.2+dfsg-7)');
  expect(asked()).toBe(2);
  expect(readFileSync(`${bundle.tscKhz}.runs`, 'utf8')).toBe('run\n');
});

test('a QEMU that A3S_BOX_QEMU names is used while it does, not after', () => {
  const { layout, bundle, qemu } = fakeHost();
  const other = join(layout.home, '..', 'other');
  writeFileSync(other, "#!/bin/sh\necho 'QEMU emulator version 9.9'\n", { mode: 0o755 });
  vi.stubEnv('A3S_BOX_QEMU', other);
  expect(loadHostCache(layout, bundle).qemu).toMatchObject({ path: other, version: '9.9' });
  vi.stubEnv('A3S_BOX_QEMU', undefined);
  expect(loadHostCache(layout, bundle).qemu).toMatchObject({
    path: qemu,
    version: '7.2.22 (Debian 1:7.2+dfsg-7)',
  });
});

test.each(['', '{"qemu":', '[]', '{"qemu":{},"bootId":"x","tscKhz":"1","accelerator":null}'])(
  'a damaged cache is filled again: %j',
  (text) => {
    const { layout, bundle, qemu } = fakeHost();
    mkdirSync(layout.cacheDir, { recursive: true });
    writeFileSync(join(layout.cacheDir, 'host.json'), text);
    expect(loadHostCache(layout, bundle).qemu.path).toBe(qemu);
  },
);

test('a host without QEMU is told what to install', () => {
  const { layout, bundle, qemu } = fakeHost();
  rmSync(qemu);
  vi.stubEnv('A3S_BOX_QEMU', join(layout.home, 'nowhere'));
  expect(() => loadHostCache(layout, bundle)).toThrow(
    expect.objectContaining({
      code: 'host_setup',
      message: `${join(layout.home, 'nowhere')} is not installed`,
      hint: 'install the package qemu-system-x86',
    }),
  );
});

test('a QEMU that does not tell its version is no QEMU', () => {
  const { layout, bundle, qemu } = fakeHost('usage: something else');
  expect(() => loadHostCache(layout, bundle)).toThrow(`${qemu} --version says nothing usable`);
});

test('a damaged program is not run to measure the time stamp counter', () => {
  const { layout, bundle } = fakeHost();
  const text = readFileSync(bundle.tscKhz, 'utf8');
  writeFileSync(bundle.tscKhz, text.replace('2596149', '9999999'));
  expect(() => loadHostCache(layout, bundle)).toThrow(`the guest bundle's ${bundle.tscKhz} is damaged`);
  expect(existsSync(`${bundle.tscKhz}.runs`)).toBe(false);
});

test('the fingerprint of a file changes with every write, even with its time set back', () => {
  const file = join(temporaryDirectory(), 'file');
  expect(fileFingerprint(file)).toBeNull();
  writeFileSync(file, 'one');
  const before = fileFingerprint(file);
  expect(fileFingerprint(file)).toBe(before);
  const { atime, mtime } = statSync(file);
  writeFileSync(file, 'two');
  utimesSync(file, atime, mtime);
  expect(fileFingerprint(file)).not.toBe(before);
});

test('programs are found on PATH, files that cannot be executed are not', () => {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, 'tool'), '', { mode: 0o644 });
  expect(findProgram('tool', { PATH: dir })).toBeNull();
  writeFileSync(join(dir, 'real'), '', { mode: 0o755 });
  expect(findProgram('real', { PATH: `/nowhere::${dir}` })).toBe(join(dir, 'real'));
  mkdirSync(join(dir, 'folder'));
  expect(findProgram('folder', { PATH: dir })).toBeNull();
});
