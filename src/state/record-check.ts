/** Checks that a value read from disk is a box record, field by field. */
import type { BoxRecord, BoxStatus, PortMapping, TmpfsMount, VolumeMount } from './record.ts';

type Check = (value: unknown) => boolean;

/** Docker's pattern for a container's name (daemon/names). */
export const NAME_PATTERN = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const ID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SHORT_ID_PATTERN = /^[0-9a-f]{12}$/;
const DIGEST_PATTERN = /^sha256:[0-9a-f]{64}$/;

const STATUSES = ['created', 'starting', 'running', 'paused', 'stopped', 'dead'] satisfies BoxStatus[];

const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const time: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const path: Check = (value) => typeof value === 'string' && value.startsWith('/');
const pattern =
  (expression: RegExp): Check =>
  (value) =>
    typeof value === 'string' && expression.test(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const port: Check = (value) => count(value) && Number(value) <= 65_535;
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
/** One check for every field of T, none forgotten. */
type ChecksOf<T> = { [K in keyof T]-?: Check };
const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    wrongField(value, fields) === null;

const volume = object({
  type: oneOf('bind'),
  source: path,
  target: path,
  read_only: flag,
} satisfies ChecksOf<VolumeMount>);
const tmpfs = object({ target: path, options: text } satisfies ChecksOf<TmpfsMount>);
const mapping = object({
  host_ip: text,
  host_port: port,
  guest_port: port,
  protocol: oneOf('tcp', 'udp'),
} satisfies ChecksOf<PortMapping>);
const labels: Check = (value) => isObject(value) && Object.values(value).every(text);

const FIELDS = {
  id: pattern(ID_PATTERN),
  short_id: pattern(SHORT_ID_PATTERN),
  name: pattern(NAME_PATTERN),
  image: text,
  image_id: pattern(DIGEST_PATTERN),
  status: oneOf(...STATUSES),
  pid: orNull(count),
  pid_start: orNull(count),
  cpus: (value) => typeof value === 'number' && value > 0,
  memory_mb: count,
  volumes: list(volume),
  tmpfs: list(tmpfs),
  env: list(text),
  entrypoint: list(text),
  cmd: list(text),
  user: text,
  working_dir: text,
  hostname: text,
  tty: flag,
  open_stdin: flag,
  init: flag,
  read_only: flag,
  network: oneOf('default', 'none'),
  dns: list(text),
  port_map: list(mapping),
  labels,
  auto_remove: flag,
  stop_signal: text,
  stop_timeout: count,
  restart_policy: text,
  restart_count: count,
  stopped_by_user: flag,
  health: orNull(text),
  created_at: time,
  started_at: orNull(time),
  finished_at: orNull(time),
  exit_code: orNull(count),
  oom_killed: flag,
  error: text,
  box_dir: path,
  socket_path: path,
  exec_socket_path: path,
  console_log: path,
  has_writes: flag,
} satisfies ChecksOf<BoxRecord>;

/** True for a JSON object (not null, not an array). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongField(value: unknown, fields: Readonly<Record<string, Check>>): string | null {
  if (!isObject(value)) return 'not an object';
  for (const [field, check] of Object.entries(fields)) {
    if (!check(value[field])) return field;
  }
  return null;
}

/** Why `value` is no box record, or null when it is one. Fields that this version does not know are left alone. */
export function recordFault(value: unknown): string | null {
  const field = wrongField(value, FIELDS);
  if (field !== null) return `bad field ${field}`;
  return isRecord(value) && !value.id.replaceAll('-', '').startsWith(value.short_id)
    ? 'short_id is not the start of id'
    : null;
}

/** True when every field of a box record is there and sound. */
export function isRecord(value: unknown): value is BoxRecord {
  return wrongField(value, FIELDS) === null;
}
