import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { A3sError } from '../../../src/errors.ts';
import { openBundle } from '../../../src/runtime/bundle.ts';
import type { RuntimeContext } from '../../../src/runtime/templates/context.ts';
import { decide, ensureBaseTemplate, type FoundTemplate } from '../../../src/runtime/templates/ensure.ts';
import { earlyEnd } from '../../../src/runtime/templates/build.ts';
import { layoutOf } from '../../../src/state/layout.ts';
import { withLock } from '../../../src/state/lock.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { writeBundle } from './fake-bundle.ts';

const obstacle = vi.hoisted(() => ({ value: null as string | null }));
vi.mock(import('../../../src/runtime/templates/accelerator.ts'), async (original) => ({
  ...(await original()),
  kvmObstacle: () => obstacle.value,
}));

beforeEach(() => {
  obstacle.value = null;
  vi.stubEnv('A3S_BOX_ACCEL', undefined);
});
afterEach(() => vi.unstubAllEnvs());

function context(): RuntimeContext {
  const dir = temporaryDirectory();
  const qemu = { path: '/usr/bin/qemu', fingerprint: '1:2:3', version: '7.2' };
  return {
    layout: layoutOf(join(dir, 'home')),
    bundle: openBundle(writeBundle(join(dir, 'guest'))),
    host: { qemu, bootId: 'boot', tscKhz: 2_000_000, accelerator: null },
    privileged: false,
  };
}

const signal = new AbortController().signal;
const bootFailed = new A3sError('boot_failed', 'the guest agent did not answer', { stage: 'agent' });

/** A build that fails with these accelerators. */
const builder =
  (failures: Partial<Record<'kvm' | 'tcg', Error>>) =>
  async (name: 'kvm' | 'tcg'): Promise<FoundTemplate> => {
    const failure = failures[name];
    if (failure !== undefined) throw failure;
    const template = { dir: name, memory: '', state: '', scratch: null, seal: '' };
    return { template, accelerator: name };
  };

test('KVM that boots is remembered', async () => {
  const runtime = context();
  expect(await decide(runtime, builder({}), signal)).toMatchObject({ accelerator: 'kvm' });
  expect(runtime.host.accelerator).toMatchObject({ name: 'kvm' });
});

test('KVM that does not boot is given up for good once emulation has', async () => {
  const runtime = context();
  const both = builder({ kvm: bootFailed, tcg: bootFailed });
  await expect(decide(runtime, both, signal)).rejects.toBe(bootFailed);
  expect(runtime.host.accelerator).toBeNull();
  expect(await decide(runtime, builder({ kvm: bootFailed }), signal)).toMatchObject({ accelerator: 'tcg' });
  expect(runtime.host.accelerator).toMatchObject({
    name: 'tcg',
    reason: 'KVM does not work here: the guest agent did not answer',
  });
});

test.each([
  ['a lock that stayed taken', new A3sError('timeout', 'still locked')],
  ['a full disk', earlyEnd({ code: null, signal: 'SIGBUS', stderr: '' })],
  ['too little memory', earlyEnd({ code: 1, signal: null, stderr: 'x: Cannot allocate memory' })],
  ['a QEMU that was killed', earlyEnd({ code: null, signal: 'SIGKILL', stderr: '' })],
])('%s says nothing about KVM', async (_what, error) => {
  const runtime = context();
  expect(await decide(runtime, builder({ kvm: error }), signal)).toMatchObject({ accelerator: 'tcg' });
  expect(runtime.host.accelerator).toBeNull();
});

test('a build that was given up is not tried with the other accelerator', async () => {
  const given = new AbortController();
  given.abort(new Error('the command went away'));
  const runtime = context();
  await expect(decide(runtime, builder({ kvm: bootFailed }), given.signal)).rejects.toThrow('went away');
  expect(runtime.host.accelerator).toBeNull();
});

test('a wait for the template of another builder can be given up', async () => {
  vi.stubEnv('A3S_BOX_ACCEL', 'tcg');
  const runtime = context();
  const giveUp = new AbortController();
  const reason = new Error('the command went away');
  const shape = { vcpus: 1, memoryMib: 256, shareSlots: 0 };
  const lock = join(runtime.layout.locksDir, 'base-1c-256m-0s-tcg.lock');
  await withLock(
    lock,
    async () => {
      const waiting = ensureBaseTemplate(runtime, shape, giveUp.signal);
      giveUp.abort(reason);
      await expect(waiting).rejects.toBe(reason);
    },
    { timeoutMs: 1000 },
  );
});

test('a KVM that cannot be opened is not tried', async () => {
  obstacle.value = '/dev/kvm does not exist';
  const runtime = context();
  expect(await decide(runtime, builder({ kvm: new Error('tried') }), signal)).toMatchObject({
    accelerator: 'tcg',
  });
  expect(runtime.host.accelerator).toMatchObject({ name: 'tcg', reason: '/dev/kvm does not exist' });
});
