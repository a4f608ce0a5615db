/**
 * What a box may be told beyond every box's own facts. A record holds only what differs from the defaults, so that most records
 * hold nothing of it.
 */
import { isObject } from '../json.ts';

export type LogDriver = 'json-file' | 'none';

export interface Ulimit {
  /** As ulimit(1) names it, e.g. `nofile`. */
  name: string;
  /** -1 for none. */
  soft: number;
  hard: number;
}

export interface BoxSettings {
  /** Lines of /etc/hosts as `name:address`. */
  extra_hosts: string[];
  annotations: Record<string, string>;
  /** `CAP_…` or `ALL`. */
  cap_add: string[];
  cap_drop: string[];
  privileged: boolean;
  dns_search: string[];
  dns_options: string[];
  domainname: string;
  /** Names or numbers. */
  group_add: string[];
  log_driver: LogDriver;
  log_options: Record<string, string>;
  /** Bytes of memory that the box keeps when the VM runs short; 0 for none. */
  memory_reservation: number;
  /** Bytes of memory and swap together, which equals the memory, or -1; 0 when not given. */
  memory_swap: number;
  /** CPU time in µs per period, as given; 0 when the CPUs were given as a number. */
  cpu_quota: number;
  cpu_period: number;
  oom_score_adj: number;
  /** 0 for no limit. */
  pids_limit: number;
  /** As given. */
  security_options: string[];
  no_new_privileges: boolean;
  /** Bytes of /dev/shm. */
  shm_size: number;
  /** Bytes that the box may write to its disk; 0 for what the disk holds. */
  storage_size: number;
  sysctls: Record<string, string>;
  ulimits: Ulimit[];
}

export const DEFAULT_SETTINGS: Readonly<BoxSettings> = {
  extra_hosts: [],
  annotations: {},
  cap_add: [],
  cap_drop: [],
  privileged: false,
  dns_search: [],
  dns_options: [],
  domainname: '',
  group_add: [],
  log_driver: 'json-file',
  log_options: {},
  memory_reservation: 0,
  memory_swap: 0,
  cpu_quota: 0,
  cpu_period: 0,
  oom_score_adj: 0,
  pids_limit: 0,
  security_options: [],
  no_new_privileges: false,
  shm_size: 64 * 1024 * 1024,
  storage_size: 0,
  sysctls: {},
  ulimits: [],
};

/** PID_MAX_LIMIT of the kernel on 64-bit machines (linux/threads.h): no box has more processes. */
export const MAX_PIDS = 4_194_304;

/** A record's settings, each with its default. */
export function settingsOf(record: { settings?: Partial<BoxSettings> | undefined }): Readonly<BoxSettings> {
  return record.settings === undefined ? DEFAULT_SETTINGS : { ...DEFAULT_SETTINGS, ...record.settings };
}

/** What of `settings` is not the default; undefined when nothing is. */
export function ownSettings(settings: Readonly<BoxSettings>): Partial<BoxSettings> | undefined {
  const own = Object.entries(settings).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(DEFAULT_SETTINGS, name)),
  );
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** True for settings as a record may hold them: each of its default's kind. Unknown ones are left alone. */
export function isSettings(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isObject(value)) return false;
  const known = Object.entries(DEFAULT_SETTINGS).filter(([name]) => value[name] !== undefined);
  return known.every(([name, standard]) => isLike(value[name], standard, name));
}

function isLike(value: unknown, standard: unknown, name: string): boolean {
  if (name === 'ulimits') return Array.isArray(value) && value.every(isUlimit);
  if (name === 'log_driver') return value === 'json-file' || value === 'none';
  if (Array.isArray(standard)) {
    return Array.isArray(value) && value.every((entry: unknown) => typeof entry === 'string');
  }
  if (isObject(standard)) {
    return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
  }
  return typeof standard === 'number' ? Number.isSafeInteger(value) : typeof value === typeof standard;
}

function isUlimit(value: unknown): boolean {
  if (!isObject(value)) return false;
  return (
    typeof value['name'] === 'string' &&
    Number.isSafeInteger(value['soft']) &&
    Number.isSafeInteger(value['hard'])
  );
}
