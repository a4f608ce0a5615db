/** What can go wrong on a vsock connection, told apart by `reason` and with what had arrived by then. */
import { A3sError, type ErrorCode } from '../../errors.ts';

/** One message before the result: a piece of the workload's output, or the agent's own words. */
export type VsockRecord =
  | { kind: 'stdout' | 'stderr'; bytes: Buffer }
  | { kind: 'log'; level: string; message: string };

export type VsockReason =
  /** Nobody listens, at every attempt. */
  | 'refused'
  /** The answer to CONNECT was no `OK` line; `raw` is what came instead. */
  | 'handshake'
  /** The connection ended before the result. */
  | 'reset'
  /** A message that is out of bounds, of an unknown type, empty or not what its type says; `raw` holds its bytes. */
  | 'malformed'
  | 'deadline'
  | 'cancelled'
  /** The host would not do it: no such folder, no right. */
  | 'io';

const CODES: Readonly<Record<VsockReason, ErrorCode>> = {
  refused: 'io',
  handshake: 'guest_protocol',
  reset: 'io',
  malformed: 'guest_protocol',
  deadline: 'timeout',
  cancelled: 'io',
  io: 'io',
};

/** At most this much of a bad message travels with the error. */
const RAW_MAX = 4096;

export interface VsockErrorDetails {
  raw?: Buffer | undefined;
  records?: readonly VsockRecord[];
  cause?: unknown;
}

export class VsockError extends A3sError {
  readonly reason: VsockReason;
  /** The bytes at fault, at most 4096; empty where there are none. */
  readonly raw: Buffer;
  /** The records that had arrived, oldest first. */
  readonly records: readonly VsockRecord[];

  constructor(reason: VsockReason, message: string, { raw, records = [], cause }: VsockErrorDetails = {}) {
    super(CODES[reason], message, { cause });
    this.name = 'VsockError';
    this.reason = reason;
    this.raw = Buffer.from(raw?.subarray(0, RAW_MAX) ?? []);
    this.records = records;
  }

  /** The same error with the records that the caller holds. */
  with(records: readonly VsockRecord[]): VsockError {
    return new VsockError(this.reason, this.message, { raw: this.raw, records, cause: this.cause });
  }
}
