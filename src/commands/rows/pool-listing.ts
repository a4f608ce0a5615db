/** What `pool status` and `pool ls` show. */
import type { MemberStatus, PoolStatus } from '../../engine/pool/spec.ts';
import { goDuration } from '../../go-duration.ts';
import { timeAgo } from '../../output/human-duration.ts';
import { binarySize } from '../../output/human-size.ts';
import type { Listing } from '../../output/listing.ts';

const MIB = 1024 * 1024;
const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;

const count = ({ members }: PoolStatus, state: MemberStatus['state']): number =>
  members.filter((member) => member.state === state).length;
/** Whole seconds. */
const duration = (ms: number): string => goDuration(Math.round((ms * NS_PER_MS) / NS_PER_S) * NS_PER_S);

export const poolListing: Listing<PoolStatus> = {
  fields: {
    Image: { heading: 'IMAGE', value: ({ image }) => image },
    CPUs: { heading: 'CPUS', value: ({ cpus }) => cpus },
    Memory: { heading: 'MEMORY', value: ({ memoryMb }) => binarySize(memoryMb * MIB) },
    Size: { heading: 'SIZE', value: ({ size }) => size },
    Ready: { heading: 'READY', value: (pool) => count(pool, 'ready') },
    Warming: { heading: 'WARMING', value: (pool) => count(pool, 'warming') },
    Taken: { heading: 'TAKEN', value: ({ taken }) => taken },
    Idle: { heading: 'IDLE', value: ({ idleMs }) => duration(idleMs) },
    TTL: { heading: 'TTL', value: ({ ttlMs }) => (ttlMs === 0 ? 'never' : duration(ttlMs)) },
    Problem: { heading: 'PROBLEM', value: ({ problem }) => problem },
  },
  table: ['Image', 'CPUs', 'Memory', 'Size', 'Ready', 'Warming', 'Taken', 'Idle', 'TTL', 'Problem'],
  id: 'Image',
  typeName: 'poolContext',
};

/** A warm box with its pool. */
export interface WarmBoxRow {
  pool: PoolStatus;
  member: MemberStatus;
}

export function membersOf(pools: readonly PoolStatus[]): WarmBoxRow[] {
  return pools.flatMap((pool) => pool.members.map((member) => ({ pool, member })));
}

export function warmBoxListing(now: Date): Listing<WarmBoxRow> {
  return {
    fields: {
      ID: { heading: 'BOX ID', value: ({ member }) => member.id },
      Image: { heading: 'IMAGE', value: ({ pool }) => pool.image },
      CPUs: { heading: 'CPUS', value: ({ pool }) => pool.cpus },
      Memory: { heading: 'MEMORY', value: ({ pool }) => binarySize(pool.memoryMb * MIB) },
      State: { heading: 'STATE', value: ({ member }) => member.state },
      CreatedAt: { heading: 'CREATED AT', value: ({ member }) => member.since },
      RunningFor: {
        heading: 'CREATED',
        value: ({ member }) => timeAgo(new Date(member.since), now),
      },
    },
    table: ['ID', 'Image', 'CPUs', 'Memory', 'State', 'RunningFor'],
    id: 'ID',
    typeName: 'warmBoxContext',
  };
}
