import { expect, test } from 'vitest';

import { runRequest } from '../../../src/runtime/monitor/run-request.ts';
import { none, slirp } from '../../../src/runtime/network.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { sampleRecord } from '../../sample-record.ts';

async function request(changes: Partial<BoxRecord> = {}): Promise<object> {
  const record = sampleRecord(changes);
  const network = await (record.network === 'none' ? none : slirp).attach(record);
  return runRequest(record, { mounts: [], network, rows: 24, cols: 80 });
}

test('the request has the fields of docs/protocol.md and no other', async () => {
  expect(await request({ entrypoint: ['/entry'], cmd: ['a', 'b'], tty: true, open_stdin: true })).toEqual({
    op: 'run',
    identity: { hostname: '3e54fbf999f5', machine_id: '3e54fbf999f54c1b8d2e0123456789ab' },
    clock_unix_ns: expect.stringMatching(/^\d{19}$/),
    entropy: expect.stringMatching(/^[0-9a-f]{128}$/),
    network: { enabled: true, dns: ['10.0.2.3'], search: [], options: [] },
    hosts: ['10.0.2.15 3e54fbf999f5'],
    root: { lower: 'root', upper: 'scratch', read_only: false },
    mounts: [],
    limits: { memory_bytes: 536_870_912, cpu_quota_us: null, pids: null },
    process: {
      args: ['/entry', 'a', 'b'],
      env: ['PATH=/bin'],
      cwd: '/',
      user: '',
      tty: true,
      rows: 24,
      cols: 80,
      open_stdin: true,
      init: false,
      capabilities: null,
      no_new_privileges: false,
    },
    sync_on_exit: true,
  });
});

test('each request has entropy of its own', async () => {
  const [first, second] = await Promise.all([request(), request()]);
  expect(Reflect.get(first, 'entropy')).not.toBe(Reflect.get(second, 'entropy'));
});

test('the clock is the time now', async () => {
  const before = Date.now();
  const ms = Number(BigInt(String(Reflect.get(await request(), 'clock_unix_ns'))) / 1_000_000n);
  // The finer clock and the wall's agree within 2 ms.
  expect(ms).toBeGreaterThanOrEqual(before - 3);
  expect(ms).toBeLessThanOrEqual(Date.now() + 3);
});

test('a box without a network has no address in its hosts file', async () => {
  expect(await request({ network: 'none' })).toMatchObject({ hosts: [], network: { enabled: false } });
});

test('a box that is removed at its end need not sync its disk', async () => {
  expect(await request({ auto_remove: true })).toMatchObject({ sync_on_exit: false });
});

test('half a CPU is a quota, and the working directory is kept', async () => {
  expect(await request({ cpus: 0.5, working_dir: '/srv', read_only: true })).toMatchObject({
    limits: { cpu_quota_us: 50_000 },
    process: { cwd: '/srv' },
    root: { read_only: true },
  });
});
