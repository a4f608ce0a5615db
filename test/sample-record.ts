/** A sound box record for tests that need one. */
import { placeRecords } from '../src/state/box-place.ts';
import type { Layout } from '../src/state/layout.ts';
import type { BoxRecord, VolumeMount } from '../src/state/record.ts';

/** A record that passes every check; `changes` on top. */
export function sampleRecord(changes: Partial<BoxRecord> = {}): BoxRecord {
  return {
    id: '3e54fbf9-99f5-4c1b-8d2e-0123456789ab',
    short_id: '3e54fbf999f5',
    name: 'brave_otter',
    image: 'a3s/base',
    image_id: `sha256:${'a'.repeat(64)}`,
    status: 'created',
    pid: null,
    pid_start: null,
    cpus: 2,
    memory_mb: 512,
    volumes: [],
    tmpfs: [],
    env: ['PATH=/bin'],
    entrypoint: [],
    cmd: ['true'],
    user: '',
    working_dir: '',
    hostname: '3e54fbf999f5',
    tty: false,
    open_stdin: false,
    init: false,
    read_only: false,
    network: 'default',
    dns: [],
    port_map: [],
    exposed_ports: [],
    publish_all: false,
    labels: {},
    auto_remove: false,
    stop_signal: 'SIGTERM',
    stop_timeout: 10,
    restart_policy: 'no',
    restart_count: 0,
    stopped_by_user: false,
    health: null,
    healthcheck: null,
    created_at: '2026-01-02T03:04:05.678Z',
    started_at: null,
    finished_at: null,
    exit_code: null,
    oom_killed: false,
    error: '',
    box_dir: '/home/user/.a3s/boxes/3e54fbf999f5',
    socket_path: '/home/user/.a3s/boxes/3e54fbf999f5/sockets/agent.sock',
    exec_socket_path: '/home/user/.a3s/boxes/3e54fbf999f5/sockets/exec.sock',
    console_log: '/home/user/.a3s/boxes/3e54fbf999f5/console.log',
    has_writes: false,
    ...changes,
  };
}

/** A bind mount as `-v` makes it; `changes` on top. */
export function sampleBind(source: string, target: string, changes: Partial<VolumeMount> = {}): VolumeMount {
  return {
    type: 'bind',
    name: '',
    source,
    target,
    read_only: false,
    mode: '',
    subpath: '',
    copy: false,
    anonymous: false,
    origin: 'binds',
    ...changes,
  };
}

/** The same with the paths of its layout: what reading a boxes.json gives. */
export function sampleRecordIn(layout: Layout, changes: Partial<BoxRecord> = {}): BoxRecord {
  const record = sampleRecord(changes);
  placeRecords(layout, [record]);
  return record;
}
