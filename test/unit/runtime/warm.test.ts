import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { fitnessOf, warmShape } from '../../../src/runtime/warm/fitness.ts';
import { asksForWarmBox, parseWarmRequest } from '../../../src/runtime/warm/request.ts';
import { temporaryDirectory } from '../../temporary.ts';

const KIND = { cpus: 2, memoryMb: 512, rootfs: 'sha256:1' };

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

test('equal boxes have an equal fitness, others another one', () => {
  const bundle = join(temporaryDirectory(), 'guest');
  mkdirSync(bundle);
  const manifest = join(bundle, 'manifest.json');
  writeFileSync(manifest, '{}');
  const fitness = fitnessOf(KIND, bundle, {});
  expect(fitnessOf({ ...KIND, cpus: 1.5 }, bundle, { PATH: '/bin' })).toBe(fitness);
  const others = [
    fitnessOf({ ...KIND, cpus: 1 }, bundle, {}),
    fitnessOf({ ...KIND, memoryMb: 256 }, bundle, {}),
    fitnessOf({ ...KIND, rootfs: 'sha256:2' }, bundle, {}),
    fitnessOf(KIND, join(bundle, 'other'), {}),
    fitnessOf(KIND, bundle, { A3S_BOX_ACCEL: 'tcg' }),
    fitnessOf(KIND, bundle, { A3S_BOX_QEMU: '/qemu' }),
    fitnessOf(KIND, bundle, { A3S_BOX_BOOT_TIMEOUT: '5' }),
  ];
  writeFileSync(manifest, '{ }');
  others.push(fitnessOf(KIND, bundle, {}));
  expect(new Set([fitness, ...others]).size).toBe(1 + others.length);
});

test('the machine of a warm box has no share', () => {
  expect(warmShape(KIND)).toEqual({ vcpus: 2, memoryMib: 656, shareSlots: 0 });
});

const request = {
  op: 'warm',
  home: '/home',
  shortId: '3e54fbf999f5',
  cpus: 2,
  memoryMb: 512,
  rootfs: 'sha256:1',
  rootfsPath: '/rootfs',
  fitness: '{}',
  commands: ['sh'],
};

test('a monitor tells the request for a warm box from a launch', () => {
  expect(asksForWarmBox(bytes(request))).toBe(true);
  expect(asksForWarmBox(bytes({ op: 'launch' }))).toBe(false);
  expect(parseWarmRequest(bytes(request))).toEqual(request);
});

test.each([
  ['home', ''],
  ['shortId', '../../etc'],
  ['cpus', 0],
  ['memoryMb', '512'],
  ['rootfs', null],
  ['rootfsPath', 1],
  ['fitness', undefined],
  ['commands', 'sh'],
  ['commands', [1]],
])('a request for a warm box with a bad %s is refused', (field, value) => {
  expect(() => parseWarmRequest(bytes({ ...request, [field]: value }))).toThrow(
    `the request for a warm box has no sound ${field}`,
  );
});
