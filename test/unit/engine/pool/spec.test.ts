import { expect, test } from 'vitest';

import { wantedPoolSize } from '../../../../src/engine/pool/auto.ts';
import { checkPoolSize, parseKeeperRequest, parsePools } from '../../../../src/engine/pool/spec.ts';

const spec = { image: 'a3s/base', cpus: 2, memoryMb: 512, size: 2, ttlMs: 0 };
const status = { ...spec, members: [], taken: 0, idleMs: 1, problem: '' };
const member = { id: '3e54fbf999f5', state: 'ready', since: '2026-01-02T03:04:05.678Z' };

test.each([
  { op: 'status' },
  { op: 'stop', image: null },
  { op: 'stop', image: 'a' },
  { op: 'start', spec, atLeast: true },
  { op: 'start', spec, atLeast: false },
])('the keeper takes %j', (request) => {
  expect(parseKeeperRequest(request)).toEqual(request);
});

test.each([
  {},
  { op: 'stop' },
  { op: 'start' },
  { op: 'start', spec: { ...spec, size: 0 } },
  { op: 'start', spec: { ...spec, size: 65 } },
  { op: 'start', spec: { ...spec, cpus: 'two' } },
  { op: 'start', spec: { ...spec, ttlMs: -1 } },
])('the keeper refuses %j', (request) => {
  expect(() => parseKeeperRequest(request)).toThrow('unknown request to the keeper of the pool');
});

test('a command takes what a keeper tells, and nothing else', () => {
  const pools = [{ ...status, members: [member] }];
  expect(parsePools(pools)).toEqual(pools);
  for (const bad of [null, {}, [{}], [{ ...status, members: [{}] }], [{ ...status, problem: 1 }]]) {
    expect(() => parsePools(bad)).toThrow('the keeper of the pool answers something unintelligible');
  }
});

test.each([0, 65, 1.5, -1])('a pool does not have %d boxes', (size) => {
  expect(() => checkPoolSize(size)).toThrow(`a pool has 1 to 64 boxes, not ${size}`);
});

test('A3S_BOX_POOL is a number of boxes', () => {
  expect([undefined, '', '0', '3'].map((text) => wantedPoolSize({ A3S_BOX_POOL: text }))).toEqual([
    0, 0, 0, 3,
  ]);
  for (const text of ['65', 'x', '1.5', '-1']) {
    expect(() => wantedPoolSize({ A3S_BOX_POOL: text })).toThrow(
      `A3S_BOX_POOL must be a number of boxes up to 64, not "${text}"`,
    );
  }
});
