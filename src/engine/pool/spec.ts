/** What a pool is to be, and what its keeper tells of it: the JSON between commands and the keeper, checked. */
import { A3sError } from '../../errors.ts';
import { isObject } from '../../json.ts';

export interface PoolSpec {
  /** As the user wrote it, and once there is a pool its name (see name.ts); followed when its tag moves to another image. */
  image: string;
  cpus: number;
  memoryMb: number;
  /** How many boxes are kept warm. */
  size: number;
  /** The pool ends when no box was taken from it for so long; 0 for never. */
  ttlMs: number;
}

export type KeeperRequest =
  | { op: 'start'; spec: PoolSpec; atLeast: boolean }
  | { op: 'stop'; image: string | null }
  | { op: 'status' };

/** One box that is warm, or about to be. */
export interface MemberStatus {
  id: string;
  state: 'warming' | 'ready';
  /** ISO 8601. */
  since: string;
}

export interface PoolStatus extends PoolSpec {
  members: MemberStatus[];
  /** How many boxes it has given. */
  taken: number;
  /** Milliseconds since one was taken, or since the pool was started. */
  idleMs: number;
  /** Why it cannot keep boxes warm at present; empty when it can. */
  problem: string;
}

export const MAX_POOL_SIZE = 64;

/** @throws A3sError `invalid_config`. */
export function checkPoolSize(size: number): void {
  if (Number.isInteger(size) && size >= 1 && size <= MAX_POOL_SIZE) return;
  throw new A3sError('invalid_config', `a pool has 1 to ${MAX_POOL_SIZE} boxes, not ${size}`);
}

/** @throws A3sError `usage` for a request that is none. */
export function parseKeeperRequest(value: Record<string, unknown>): KeeperRequest {
  const { op, image } = value;
  if (op === 'status') return { op };
  if (op === 'stop' && (image === null || typeof image === 'string')) return { op, image };
  if (op === 'start' && isSpec(value['spec'])) {
    return { op, spec: value['spec'], atLeast: value['atLeast'] === true };
  }
  throw new A3sError('usage', 'unknown request to the keeper of the pool');
}

/** @throws A3sError `io` for an answer that is none. */
export function parsePools(value: unknown): PoolStatus[] {
  if (Array.isArray(value) && value.every(isStatus)) return value;
  throw new A3sError('io', 'the keeper of the pool answers something unintelligible', {
    hint: 'end it with: a3s-box pool stop',
  });
}

function isSpec(value: unknown): value is PoolSpec {
  return (
    isObject(value) &&
    typeof value['image'] === 'string' &&
    isNumber(value['cpus'], 0.01) &&
    isNumber(value['memoryMb'], 1) &&
    isNumber(value['size'], 1) &&
    Number(value['size']) <= MAX_POOL_SIZE &&
    isNumber(value['ttlMs'], 0)
  );
}

function isStatus(value: unknown): value is PoolStatus {
  return (
    isSpec(value) &&
    'members' in value &&
    Array.isArray(value.members) &&
    value.members.every(isMember) &&
    'taken' in value &&
    isNumber(value.taken, 0) &&
    'idleMs' in value &&
    isNumber(value.idleMs, 0) &&
    'problem' in value &&
    typeof value.problem === 'string'
  );
}

function isMember(value: unknown): value is MemberStatus {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    (value['state'] === 'warming' || value['state'] === 'ready') &&
    typeof value['since'] === 'string'
  );
}

function isNumber(value: unknown, least: number): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= least;
}
