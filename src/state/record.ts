/**
 * The durable facts of one box, as they stand in boxes.json. Field names are those of the file.
 */
import type { BoxSettings } from './box-settings.ts';

/**
 * Life of a box; `starting` is shown as created: a monitor has been asked for and has not answered. `restarting`: the
 * workload has ended and is to run again; with a PID of null the next command sees to it.
 */
export type BoxStatus = 'created' | 'starting' | 'running' | 'paused' | 'restarting' | 'stopped' | 'dead';

/** Of boxes that a `start` may take. */
export const IDLE_STATUSES: readonly unknown[] = ['created', 'stopped', 'dead'] satisfies BoxStatus[];

export interface PortMapping {
  /** Host address, default 0.0.0.0. */
  host_ip: string;
  /** 0 asks for any free port; the record of a running box holds the real one. */
  host_port: number;
  guest_port: number;
  protocol: 'tcp' | 'udp';
  /** The host port was free and is this run's alone: 0 or a range was asked for. */
  drawn?: true;
  /** The host ports of which the first free one is taken. */
  host_range?: { first: number; last: number };
  /** Published by `-P`, because it is exposed; nobody asked for this mapping by itself. */
  exposed?: true;
}

/** Where Docker notes a mount: HostConfig.Binds (`-v`), HostConfig.Mounts (`--mount`), Config.Volumes (image, `-v /path`). */
export type MountOrigin = 'binds' | 'mounts' | 'volumes';

export interface VolumeMount {
  type: 'bind' | 'volume';
  /** The volume's name; empty for a bind mount. */
  name: string;
  /** Absolute host path; a volume's data directory. */
  source: string;
  /** Absolute path in the box. */
  target: string;
  read_only: boolean;
  /** The modes as Docker shows them, e.g. `ro` or `z`. */
  mode: string;
  /** What of the volume is mounted; empty for all of it. */
  subpath: string;
  /** A volume that is empty takes what the image has at `target`. */
  copy: boolean;
  /** The volume was made for this mount, and goes with `rm -v` and `--rm`. */
  anonymous: boolean;
  origin: MountOrigin;
}

export interface TmpfsMount {
  target: string;
  /** Mount options as given after `:`; empty for Docker's default. */
  options: string;
  /** True for one from `--mount`. */
  from_mount: boolean;
}

/** A port that the image or `--expose` names, published or not. */
export interface ExposedPort {
  guest_port: number;
  protocol: 'tcp' | 'udp' | 'sctp';
}

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** HEALTHCHECK or `--health-…`; durations in nanoseconds, 0 for the default. */
export interface HealthCheck {
  /** `["CMD", …]`, `["CMD-SHELL", command]` or `["NONE"]`. */
  test: string[];
  interval: number;
  timeout: number;
  start_period: number;
  start_interval: number;
  retries: number;
}

export interface BoxRecord {
  /** UUID, lower case. */
  id: string;
  /** The first 12 hex digits of `id` without its dashes. */
  short_id: string;
  name: string;
  /** The image as the user wrote it. */
  image: string;
  /** Digest of the image's configuration, `sha256:…`. */
  image_id: string;
  status: BoxStatus;
  /** PID of the box's monitor (of the starting command while `starting`), null when nothing runs. */
  pid: number | null;
  /** Start time of `pid` in clock ticks since boot (field 22 of /proc/PID/stat), so that a reused PID does not fool. */
  pid_start: number | null;
  cpus: number;
  /** Memory the workload may use, in MiB. */
  memory_mb: number;
  volumes: VolumeMount[];
  tmpfs: TmpfsMount[];
  /** Image environment with the user's on top, `K=V`. */
  env: string[];
  /** The effective entrypoint and arguments; their concatenation is the workload's argv. */
  entrypoint: string[];
  cmd: string[];
  user: string;
  working_dir: string;
  hostname: string;
  tty: boolean;
  open_stdin: boolean;
  init: boolean;
  read_only: boolean;
  network: 'default' | 'none';
  dns: string[];
  port_map: PortMapping[];
  exposed_ports: ExposedPort[];
  /** `-P`: every exposed port is published. */
  publish_all: boolean;
  labels: Record<string, string>;
  auto_remove: boolean;
  /** Signal that `stop` sends, e.g. `SIGTERM`. */
  stop_signal: string;
  /** Seconds of grace that `stop` gives. */
  stop_timeout: number;
  /** `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`. */
  restart_policy: string;
  /** How often the policy has started the box since a user did. */
  restart_count: number;
  /** The last end was asked for by `stop` or `kill`: no policy undoes it. */
  stopped_by_user: boolean;
  /** Null while the box has never run with a health check. */
  health: HealthStatus | null;
  /** The image's with the flags on top; null without any. */
  healthcheck: HealthCheck | null;
  /** ISO 8601, UTC. */
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  exit_code: number | null;
  oom_killed: boolean;
  /** Why the box is dead or did not start; empty otherwise. */
  error: string;
  box_dir: string;
  /** The agent's health socket. */
  socket_path: string;
  exec_socket_path: string;
  console_log: string;
  /** True once the box has been started: its scratch disk holds its writes and the next start keeps them. */
  has_writes: boolean;
  /** What differs from the default settings; absent when nothing does. */
  settings?: Partial<BoxSettings>;
}

/** The whole file. */
export interface BoxesFile {
  version: 2;
  boxes: BoxRecord[];
}
