import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { openBundle } from '../../../src/runtime/bundle.ts';
import { knownAccelerator, recordVerdict } from '../../../src/runtime/templates/accelerator.ts';
import {
  kernelCommandLine,
  acceleratorOf,
  type RuntimeContext,
} from '../../../src/runtime/templates/context.ts';
import { layoutOf } from '../../../src/state/layout.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { writeBundle } from './fake-bundle.ts';

beforeEach(() => void vi.stubEnv('A3S_BOX_ACCEL', undefined));
afterEach(() => vi.unstubAllEnvs());

function context(): RuntimeContext {
  const dir = temporaryDirectory();
  return {
    layout: layoutOf(join(dir, 'home')),
    bundle: openBundle(writeBundle(join(dir, 'guest'))),
    host: {
      qemu: { path: '/usr/bin/qemu', fingerprint: '1:2:3', version: '7.2' },
      bootId: 'boot',
      tscKhz: 2_000_000,
      accelerator: null,
    },
    privileged: false,
  };
}

test('without a trial nothing is known', () => {
  expect(knownAccelerator(context())).toBeNull();
});

test('a verdict is kept on disk, with its reason', () => {
  const runtime = context();
  recordVerdict(runtime, 'tcg', 'KVM does not work here: it hung');
  expect(knownAccelerator(runtime)).toMatchObject({ name: 'tcg', reason: 'KVM does not work here: it hung' });
  const stored: unknown = JSON.parse(readFileSync(join(runtime.layout.cacheDir, 'host.json'), 'utf8'));
  expect(stored).toEqual(runtime.host);
});

const changes: Record<string, (runtime: RuntimeContext) => void> = {
  QEMU: ({ host }) => void (host.qemu.fingerprint = '4:5:6'),
  'boot of the host': ({ host }) => void (host.bootId = 'another'),
  'guest bundle': ({ bundle }) => void (bundle.identity = 'another'),
};

test.each(Object.entries(changes))('another %s asks for another trial', (_name, change) => {
  const runtime = context();
  recordVerdict(runtime, 'kvm', 'a VM booted with it');
  expect(knownAccelerator(runtime)?.name).toBe('kvm');
  change(runtime);
  expect(knownAccelerator(runtime)).toBeNull();
});

test.each(['kvm', 'tcg'])('A3S_BOX_ACCEL=%s overrides the verdict without a trial', (name) => {
  const runtime = context();
  recordVerdict(runtime, name === 'kvm' ? 'tcg' : 'kvm', 'a trial');
  vi.stubEnv('A3S_BOX_ACCEL', name);
  expect(knownAccelerator(runtime)).toMatchObject({ name, reason: 'chosen by A3S_BOX_ACCEL' });
});

test('an A3S_BOX_ACCEL that is none is refused by name', () => {
  vi.stubEnv('A3S_BOX_ACCEL', 'hvf');
  expect(() => knownAccelerator(context())).toThrow('A3S_BOX_ACCEL must be kvm or tcg, not "hvf"');
  vi.stubEnv('A3S_BOX_ACCEL', '');
  expect(knownAccelerator(context())).toBeNull();
});

test('only an emulated kernel is told the rate of the counter', () => {
  expect(acceleratorOf('kvm')).toEqual({ name: 'kvm', cpu: 'host' });
  expect(acceleratorOf('tcg').cpu).toMatch(/^max(,|$)/);
  expect(kernelCommandLine(acceleratorOf('tcg'), 2_596_100)).toContain(
    ' tsc_early_khz=2596100 tsc=reliable mitigations=off',
  );
  expect(kernelCommandLine(acceleratorOf('kvm'), 2_596_100)).toBe(
    'console=hvc0 quiet panic=-1 reboot=t random.trust_cpu=on audit=0 lsm=landlock,yama noautogroup nowatchdog psi=0',
  );
  expect(kernelCommandLine(acceleratorOf('kvm'), 2_596_100)).not.toMatch(/tsc|mitigations/);
});
