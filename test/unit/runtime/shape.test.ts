import { expect, test } from 'vitest';

import { A3sError } from '../../../src/errors.ts';
import { cpuQuota, shapeOf } from '../../../src/runtime/templates/shape.ts';

const shape = (cpus: number, memory_mb: number, shares = 0): unknown => shapeOf({ cpus, memory_mb }, shares);

test('the VM has 128 MiB and a thirty-second more than the box', () => {
  expect(shape(2, 512)).toEqual({ vcpus: 2, memoryMib: 656, shareSlots: 0 });
});

test.each([
  [0.01, 1],
  [0.5, 1],
  [1, 1],
  [1.5, 2],
  [64, 64],
  [65, 64],
])('%d cpus make %d vCPUs', (cpus, vcpus) => {
  expect(shape(cpus, 512)).toMatchObject({ vcpus });
});

test.each([
  [0, 0],
  [1, 4],
  [4, 4],
  [5, 16],
  [16, 16],
])('%d shares take %d slots', (shares, shareSlots) => {
  expect(shape(1, 64, shares)).toMatchObject({ shareSlots });
});

test('more shares than there are slots are refused', () => {
  expect(() => shape(1, 64, 17)).toThrow(
    expect.objectContaining({
      code: 'invalid_config',
      message: 'a box takes at most 16 directories and volumes of the host, not 17',
    }),
  );
  expect(() => shape(1, 64, 17)).toThrow(A3sError);
});

test('a fraction of a CPU is a quota, whole ones are not', () => {
  expect(cpuQuota({ cpus: 0.5 })).toBe(50_000);
  expect(cpuQuota({ cpus: 1.25 })).toBe(125_000);
  expect(cpuQuota({ cpus: 2 })).toBeNull();
});
