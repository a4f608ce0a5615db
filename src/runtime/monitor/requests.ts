/** What commands ask of a monitor, checked: JSON of the first message on a control connection. */
import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import { MAX_GRACE_S } from '../../state/grace.ts';
import { MAX_PIDS } from '../../state/box-settings.ts';
import { assertRecord } from '../../state/record-check.ts';
import type { BoxRecord } from '../../state/record.ts';
import type { ExecSpec } from '../exec-client.ts';
import { parseObject } from '../protocol/result.ts';

export interface AttachRequest {
  output: boolean;
  stdin: boolean;
  rows: number;
  cols: number;
}

export interface LaunchRequest extends AttachRequest {
  op: 'launch';
  home: string;
  record: BoxRecord;
  rootfs: { path: string; digest: string };
  /** Where spans go; empty for nowhere. */
  trace: string;
}

export type ControlRequest =
  | (AttachRequest & { op: 'attach' })
  | { op: 'signal'; number: number }
  | { op: 'stop' | 'restart'; signal: number; timeoutSeconds: number }
  | { op: 'pause' | 'unpause' | 'hold' | 'wait' }
  | ({ op: 'limit' } & BoxLimits)
  | { op: 'exec'; spec: ExecSpec };

/** What `update` gives a running box. */
export interface BoxLimits {
  cpus: number;
  memoryMb: number;
  /** Undefined leaves it as it is; 0 for none. */
  pids?: number | undefined;
  /** Bytes; undefined leaves it as it is. */
  memoryReservation?: number | undefined;
}

const DEFAULT_ROWS = 24;
const DEFAULT_COLS = 80;
const MAX_CPUS = 1024;

export function parseLaunch(payload: Buffer): LaunchRequest {
  const value = parseObject(payload, 'launch request');
  const { path, digest } = objectOr(value['rootfs']);
  return {
    op: 'launch',
    ...parseAttach(value),
    home: text(value['home'], 'home'),
    record: checkedRecord(value['record']),
    rootfs: { path: text(path, 'rootfs.path'), digest: text(digest, 'rootfs.digest') },
    trace: text(value['trace'], 'trace'),
  };
}

export function parseControl(payload: Buffer): ControlRequest {
  const value = parseObject(payload, 'control request');
  switch (value['op']) {
    case 'attach':
      return { op: 'attach', ...parseAttach(value) };
    case 'signal':
      return { op: 'signal', number: integer(value['number'], 'number', 1, 64) };
    case 'stop':
    case 'restart':
      return {
        op: value['op'],
        signal: integer(value['signal'], 'signal', 1, 64),
        timeoutSeconds: integer(value['timeoutSeconds'], 'timeoutSeconds', -1, MAX_GRACE_S),
      };
    case 'pause':
    case 'unpause':
    case 'hold':
    case 'wait':
      return { op: value['op'] };
    case 'limit':
      return {
        op: 'limit',
        cpus: number(value['cpus'], 'cpus', 0.01, MAX_CPUS),
        memoryMb: integer(value['memoryMb'], 'memoryMb', 1, Number.MAX_SAFE_INTEGER),
        ...(value['pids'] === undefined ? {} : { pids: integer(value['pids'], 'pids', 0, MAX_PIDS) }),
        ...(value['memoryReservation'] === undefined
          ? {}
          : {
              memoryReservation: integer(
                value['memoryReservation'],
                'memoryReservation',
                0,
                Number.MAX_SAFE_INTEGER,
              ),
            }),
      };
    case 'exec':
      return { op: 'exec', spec: parseExec(objectOr(value['spec'])) };
    default:
      throw new A3sError('usage', `unknown control request ${JSON.stringify(value['op'])}`);
  }
}

function parseAttach(value: Record<string, unknown>): AttachRequest {
  return {
    output: value['output'] === true,
    stdin: value['stdin'] === true,
    rows: integer(value['rows'] ?? DEFAULT_ROWS, 'rows', 0, 65_535),
    cols: integer(value['cols'] ?? DEFAULT_COLS, 'cols', 0, 65_535),
  };
}

/** A command that nobody reads from or writes to. */
function parseExec(value: Record<string, unknown>): ExecSpec {
  const { workingDir, user, timeoutSeconds, rows, cols } = value;
  return {
    cmd: texts(value['cmd'], 'cmd'),
    env: texts(value['env'], 'env'),
    tty: value['tty'] === true,
    openStdin: false,
    privileged: value['privileged'] === true,
    ...(workingDir === undefined ? {} : { workingDir: text(workingDir, 'workingDir') }),
    ...(user === undefined ? {} : { user: text(user, 'user') }),
    ...(rows === undefined ? {} : { rows: integer(rows, 'rows', 0, 65_535) }),
    ...(cols === undefined ? {} : { cols: integer(cols, 'cols', 0, 65_535) }),
    ...(timeoutSeconds === undefined
      ? {}
      : { timeoutSeconds: number(timeoutSeconds, 'timeoutSeconds', -Number.MAX_VALUE, Number.MAX_VALUE) }),
  };
}

function texts(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) throw new A3sError('usage', `${name} must be a list`);
  return value.map((each: unknown) => text(each, name));
}

function checkedRecord(value: unknown): BoxRecord {
  assertRecord(value);
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new A3sError('usage', `${name} must be a string`);
  return value;
}

function number(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw new A3sError('usage', `${name} must be a number from ${min} to ${max}`);
  }
  return value;
}

function integer(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new A3sError('usage', `${name} must be a whole number from ${min} to ${max}`);
  }
  return value;
}
