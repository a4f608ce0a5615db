import { expect, test } from 'vitest';

import { beginRequest, stepRequest } from '../../../../src/build/stage/requests.ts';
import type { RunStep, StageVmOptions } from '../../../../src/build/stage/types.ts';

const STEP: RunStep = {
  args: ['/bin/sh', '-c', 'make'],
  env: ['A=1'],
  cwd: '/src',
  user: 'me',
  network: 'default',
  mounts: [],
  hosts: ['10.0.0.1\tmirror'],
  ulimits: [],
  shmBytes: null,
};
const OPTIONS: StageVmOptions = {
  rootfs: null,
  shares: [
    { id: 'a', directory: '/a' },
    { id: 'b', directory: '/b' },
  ],
  cpus: 1.5,
  memoryMb: 512,
  dns: [],
  dnsSearch: ['example.org'],
  dnsOptions: ['ndots:2'],
  signal: new AbortController().signal,
};

test('a stage begins with its network, limits and shares', () => {
  const guest = { enabled: true, dns: ['10.0.2.3'], search: [], options: [] };
  const request = beginRequest(OPTIONS, { netdev: '', ports: [], guest, guestAddress: null });
  expect(request).toEqual({
    op: 'stage',
    clock_unix_ns: expect.stringMatching(/^\d{19}$/),
    entropy: expect.stringMatching(/^[0-9a-f]{128}$/),
    network: { enabled: true, dns: ['10.0.2.3'], search: ['example.org'], options: ['ndots:2'] },
    lower: 'root',
    upper: 'scratch',
    limits: { memory_bytes: 536_870_912, cpu_quota_us: 150_000, pids: null },
    shares: ['share0', 'share1'],
  });
});

test('a step without anything special', () => {
  expect(stepRequest(STEP, [], [])).toEqual({
    op: 'stage_step',
    hostname: 'buildkitsandbox',
    hosts: ['10.0.0.1\tmirror'],
    network: true,
    args: ['/bin/sh', '-c', 'make'],
    env: ['A=1'],
    cwd: '/src',
    user: 'me',
    mounts: [],
    settings: {},
  });
});

test('a step with mounts of every kind and limits', () => {
  const owner = { mode: 0o400, uid: 1, gid: 2 };
  const none = (async function* (): AsyncGenerator<Buffer> {})();
  const step: RunStep = {
    ...STEP,
    network: 'none',
    hostname: 'other',
    ulimits: [{ name: 'nofile', soft: 5, hard: null }],
    shmBytes: 4096,
    mounts: [
      { type: 'bind', target: '/one', readOnly: true, tar: none, single: null },
      { type: 'tmpfs', target: '/t', sizeBytes: null },
      { type: 'bind', target: '/two', readOnly: false, tar: none, single: 'f' },
      { type: 'cache', target: '/c', readOnly: false, share: 'b', ...owner },
      { type: 'secret', target: '/s', content: Buffer.from('abc'), ...owner },
      { type: 'script', target: '/x', content: Buffer.from('#!'), ...owner },
      { type: 'ssh', target: '/ssh', agentSocket: '/host', ...owner },
    ],
  };
  expect(stepRequest(step, OPTIONS.shares, ['t1', 't2'])).toMatchObject({
    network: false,
    hostname: 'other',
    settings: { shm_bytes: 4096, rlimits: [{ kind: 'nofile', soft: 5, hard: null }] },
    mounts: [
      { type: 'tree', target: '/one', name: 't1', single: null, read_only: true },
      { type: 'tmpfs', target: '/t', size_bytes: null },
      { type: 'tree', target: '/two', name: 't2', single: 'f', read_only: false },
      { type: 'share', target: '/c', tag: 'share1', read_only: false, ...owner },
      { type: 'file', target: '/s', size: 3, executable: false, ...owner },
      { type: 'file', target: '/x', size: 2, executable: true, ...owner },
      { type: 'socket', target: '/ssh', ...owner },
    ],
  });
});
