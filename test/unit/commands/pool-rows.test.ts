import { expect, test } from 'vitest';

import { membersOf, poolListing, warmBoxListing } from '../../../src/commands/rows/pool-listing.ts';
import type { PoolStatus } from '../../../src/engine/pool/spec.ts';
import { renderListing } from '../../../src/output/listing.ts';

const now = new Date('2026-01-02T03:04:05Z');
const pools: PoolStatus[] = [
  {
    image: 'a3s/base:latest',
    cpus: 2,
    memoryMb: 512,
    size: 3,
    ttlMs: 1_800_000,
    members: [
      { id: '3e54fbf999f5', state: 'ready', since: '2026-01-02T03:02:00Z' },
      { id: '4e54fbf999f5', state: 'warming', since: '2026-01-02T03:04:03Z' },
    ],
    taken: 7,
    idleMs: 61_234,
    problem: '',
  },
  {
    image: 'other:1',
    cpus: 0.5,
    memoryMb: 128,
    size: 1,
    ttlMs: 0,
    members: [],
    taken: 0,
    idleMs: 400,
    problem: 'its monitor was lost',
  },
];

const status = (format: string): Promise<string> =>
  renderListing(poolListing, pools, { format, quiet: false });
const boxes = (format: string, quiet = false): Promise<string> =>
  renderListing(warmBoxListing(now), membersOf(pools), { format, quiet });

test('pool status shows what each pool has, was asked for, and suffers from', async () => {
  expect(await status('table')).toBe(
    [
      'IMAGE             CPUS      MEMORY    SIZE      READY     WARMING   TAKEN     IDLE      TTL       PROBLEM',
      'a3s/base:latest   2         512MiB    3         1         1         7         1m1s      30m0s     ',
      'other:1           0.5       128MiB    1         0         0         0         0s        never     its monitor was lost',
      '',
    ].join('\n'),
  );
});

test('pool status as JSON has the same, a line for each pool', async () => {
  const [first = '', second = '', ...rest] = (await status('json')).split('\n');
  expect(rest).toEqual(['']);
  expect(JSON.parse(first)).toEqual({
    Image: 'a3s/base:latest',
    CPUs: 2,
    Memory: '512MiB',
    Size: 3,
    Ready: 1,
    Warming: 1,
    Taken: 7,
    Idle: '1m1s',
    TTL: '30m0s',
    Problem: '',
  });
  expect(JSON.parse(second)).toMatchObject({ CPUs: 0.5, TTL: 'never', Problem: 'its monitor was lost' });
});

test('pool ls lists the boxes of all pools', async () => {
  expect(await boxes('table')).toBe(
    [
      'BOX ID         IMAGE             CPUS      MEMORY    STATE     CREATED',
      '3e54fbf999f5   a3s/base:latest   2         512MiB    ready     2 minutes ago',
      '4e54fbf999f5   a3s/base:latest   2         512MiB    warming   2 seconds ago',
      '',
    ].join('\n'),
  );
  expect(await boxes('', true)).toBe('3e54fbf999f5\n4e54fbf999f5\n');
  const [first = ''] = (await boxes('json')).split('\n');
  expect(JSON.parse(first)).toEqual({
    ID: '3e54fbf999f5',
    Image: 'a3s/base:latest',
    CPUs: 2,
    Memory: '512MiB',
    State: 'ready',
    CreatedAt: '2026-01-02T03:02:00Z',
    RunningFor: '2 minutes ago',
  });
});
