/** The `run` request for a box, from its record: docs/protocol.md, "run". Pure but for the entropy and the clock. */
import { randomBytes } from '../../random.ts';
import { effectiveCapabilities } from '../../state/capabilities.ts';
import { settingsOf } from '../../state/box-settings.ts';
import type { BoxRecord } from '../../state/record.ts';
import type { NetworkAttachment } from '../network.ts';
import { preciseTime } from '../../state/clock.ts';
import { cpuQuota } from '../templates/shape.ts';
import { dnsSearch, guestSettings, hostsLines } from './guest-settings.ts';
import type { MountPlan } from './mounts.ts';

const MIB = 1024 * 1024;

export interface RunOptions {
  mounts: MountPlan[];
  network: NetworkAttachment;
  rows: number;
  cols: number;
}

export interface RunRequest {
  op: 'run';
  /** When it was made, or `stamped`. */
  clock_unix_ns: string;
  [field: string]: unknown;
}

export function runRequest(record: BoxRecord, options: RunOptions): RunRequest {
  const { guest: network, guestAddress } = options.network;
  const settings = settingsOf(record);
  return {
    op: 'run',
    identity: { hostname: record.hostname, machine_id: record.id.replaceAll('-', '') },
    clock_unix_ns: unixNanoseconds(),
    entropy: randomBytes(64).toString('hex'),
    network: { ...network, search: dnsSearch(settings), options: settings.dns_options },
    hosts: hostsLines(record, guestAddress),
    root: { lower: 'root', upper: 'scratch', read_only: record.read_only },
    mounts: options.mounts,
    limits: {
      memory_bytes: record.memory_mb * MIB,
      cpu_quota_us: cpuQuota(record),
      pids: settings.pids_limit === 0 ? null : settings.pids_limit,
    },
    process: {
      args: [...record.entrypoint, ...record.cmd],
      env: record.env,
      cwd: record.working_dir === '' ? '/' : record.working_dir,
      user: record.user,
      tty: record.tty,
      rows: options.rows,
      cols: options.cols,
      open_stdin: record.open_stdin,
      init: record.init,
      capabilities: effectiveCapabilities(settings),
      no_new_privileges: settings.no_new_privileges,
    },
    ...guestSettings(record),
    sync_on_exit: !record.auto_remove,
  };
}

/** The same request with the present time, to which the guest sets its clock. */
export function stamped(request: RunRequest): RunRequest {
  return { ...request, clock_unix_ns: unixNanoseconds() };
}

function unixNanoseconds(): string {
  return String(BigInt(Math.round(preciseTime() * 1000)) * 1000n);
}
