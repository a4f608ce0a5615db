/** The machine a box gets: few distinct shapes, because each needs templates of its own. */
import { A3sError } from '../../errors.ts';
import type { BoxRecord } from '../../state/record.ts';
import type { MachineShape } from '../qemu/args.ts';

/**
 * What the kernel, the agent and the box's page cache need beside the memory that the box was promised. With less, the VM as a
 * whole runs dry before the box's own limit is reached, and reclaims pages for ever instead of killing the culprit. Unused memory costs nothing.
 */
const OVERHEAD_MIB = 128;
/** One part in this many for the kernel's own bookkeeping of memory. */
const OVERHEAD_SHARE = 32;
/** Sizes of machine by share slots; the mmio bus has 24 places, seven of them taken. */
const SLOT_CLASSES = [0, 4, 16] as const;
const MAX_SHARES = Math.max(...SLOT_CLASSES);
const MAX_VCPUS = 64;

/** @throws A3sError `invalid_config` for more directories of the host than a box has share slots. */
export function checkShares(count: number): void {
  if (count <= MAX_SHARES) return;
  const message = `a box takes at most ${MAX_SHARES} directories and volumes of the host, not ${count}`;
  throw new A3sError('invalid_config', message, { hint: 'mount a directory that holds several of them' });
}

/**
 * @param shares how many directories of the host the box's mounts export
 * @throws A3sError `invalid_config` when they are too many.
 */
export function shapeOf(record: Pick<BoxRecord, 'cpus' | 'memory_mb'>, shares: number): MachineShape {
  checkShares(shares);
  const slots = SLOT_CLASSES.find((count) => count >= shares) ?? MAX_SHARES;
  return {
    vcpus: Math.min(Math.max(Math.ceil(record.cpus), 1), MAX_VCPUS),
    memoryMib: record.memory_mb + OVERHEAD_MIB + Math.ceil(record.memory_mb / OVERHEAD_SHARE),
    shareSlots: slots,
  };
}

/** A quota in µs per 100 ms period when the vCPUs are more than the user asked for; null otherwise. */
export function cpuQuota(record: Pick<BoxRecord, 'cpus'>): number | null {
  return Number.isInteger(record.cpus) ? null : Math.round(record.cpus * 100_000);
}
