import { describe, expect, test } from 'vitest';

import { boxListing } from '../../../src/commands/rows/box-listing.ts';
import { stateOf, statusOf } from '../../../src/commands/rows/box-status.ts';
import type { BoxRecord } from '../../../src/commands/rows/records.ts';
import { renderListing } from '../../../src/output/listing.ts';

const now = new Date('2026-11-20T21:20:35Z');

const box: BoxRecord = {
  id: 'ddc5b96e-bf9b-4af5-93ba-ee9c70546cd5',
  short_id: 'ddc5b96ebf9b',
  name: 'd1',
  image: 'busybox',
  image_id: `sha256:${'9'.repeat(64)}`,
  status: 'running',
  pid: 1,
  pid_start: 1,
  cpus: 2,
  memory_mb: 512,
  volumes: [],
  tmpfs: [],
  env: [],
  entrypoint: [],
  cmd: ['sleep', '1000'],
  user: '',
  working_dir: '/',
  hostname: 'ddc5b96ebf9b',
  tty: false,
  open_stdin: false,
  init: false,
  read_only: false,
  network: 'default',
  dns: [],
  exposed_ports: [],
  publish_all: false,
  healthcheck: null,
  port_map: [{ host_ip: '0.0.0.0', host_port: 32_768, guest_port: 8080, protocol: 'tcp' }],
  labels: { c: 'd', a: 'b' },
  auto_remove: false,
  stop_signal: 'SIGTERM',
  stop_timeout: 10,
  restart_policy: 'no',
  restart_count: 0,
  stopped_by_user: false,
  health: null,
  created_at: '2026-11-20T21:20:32Z',
  started_at: '2026-11-20T21:20:33Z',
  finished_at: null,
  exit_code: null,
  oom_killed: false,
  error: '',
  box_dir: '/b',
  socket_path: '/b/a.sock',
  exec_socket_path: '/b/e.sock',
  console_log: '/b/console.log',
  has_writes: true,
};

const exited: BoxRecord = {
  ...box,
  id: '3e54fbf9-99f5-4c20-92c4-eb0f4284cc42',
  short_id: '3e54fbf999f5',
  name: 'c1',
  status: 'stopped',
  cmd: ['sh', '-c', 'echo out; echo err >&2; exit 3'],
  exit_code: 3,
  finished_at: '2026-11-20T21:20:32Z',
};

test("the table is docker's", async () => {
  const table = await renderListing(boxListing({ truncate: true, now }), [box, exited], {
    format: undefined,
    quiet: false,
  });
  expect(table).toBe(
    `CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS                     PORTS                     NAMES
ddc5b96ebf9b   busybox   "sleep 1000"             3 seconds ago   Up 2 seconds               0.0.0.0:32768->8080/tcp   d1
3e54fbf999f5   busybox   "sh -c 'echo out; ec…"   3 seconds ago   Exited (3) 3 seconds ago                             c1
`,
  );
});

test('--no-trunc shows the whole ID and command', async () => {
  const text = await renderListing(boxListing({ truncate: false, now }), [exited], {
    format: '{{.ID}} {{.Command}}',
    quiet: false,
  });
  expect(text).toBe(`${exited.id} "sh -c 'echo out; echo err >&2; exit 3'"\n`);
});

test("json has docker's fields", async () => {
  const text = await renderListing(boxListing({ truncate: true, now }), [box], {
    format: 'json',
    quiet: false,
  });
  expect(JSON.parse(text)).toEqual({
    Command: '"sleep 1000"',
    CreatedAt: expect.stringMatching(/^2026-11-2\d \d\d:\d\d:\d\d [+-]\d{4} \S+$/),
    ID: 'ddc5b96ebf9b',
    Image: 'busybox',
    Labels: 'a=b,c=d',
    LocalVolumes: '0',
    Mounts: '',
    Names: 'd1',
    Networks: 'bridge',
    Platform: null,
    Ports: '0.0.0.0:32768->8080/tcp',
    RunningFor: '3 seconds ago',
    Size: '0B',
    State: 'running',
    Status: 'Up 2 seconds',
  });
});

describe('words for states', () => {
  const later = new Date('2026-11-20T23:20:33Z');
  test.each<[Partial<BoxRecord>, string, string]>([
    [{ status: 'created', started_at: null }, 'created', 'Created'],
    [{ status: 'starting', started_at: null }, 'created', 'Created'],
    [
      { status: 'starting', exit_code: 3, finished_at: '2026-11-20T23:19:33Z' },
      'exited',
      'Exited (3) About a minute ago',
    ],
    [{ status: 'running' }, 'running', 'Up 2 hours'],
    [{ status: 'running', health: 'healthy' }, 'running', 'Up 2 hours (healthy)'],
    [{ status: 'running', health: 'starting' }, 'running', 'Up 2 hours (health: starting)'],
    [{ status: 'paused' }, 'paused', 'Up 2 hours (Paused)'],
    [
      { status: 'stopped', exit_code: 137, finished_at: '2026-11-20T23:19:33Z' },
      'exited',
      'Exited (137) About a minute ago',
    ],
    [
      { status: 'restarting', exit_code: 1, finished_at: '2026-11-20T23:20:28Z' },
      'restarting',
      'Restarting (1) 5 seconds ago',
    ],
    [{ status: 'dead' }, 'dead', 'Dead'],
  ])('%j', (change, state, status) => {
    const changed = { ...box, ...change };
    expect([stateOf(changed), statusOf(changed, later)]).toEqual([state, status]);
  });
});
