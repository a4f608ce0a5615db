/** The machine a box gets: few distinct shapes, because each needs templates of its own. */
import { A3sError } from '../../errors.ts';
import type { BoxRecord } from '../../state/record.ts';
import type { MachineShape } from '../qemu/args.ts';

/** What the kernel and the agent use themselves, so that a box has all the memory it was promised. */
const OVERHEAD_MIB = 64;
/** Sizes of machine by share slots; the mmio bus has 24 places, six of them taken. */
const SLOT_CLASSES = [0, 4, 16] as const;
const MAX_VCPUS = 64;

export function shapeOf(record: Pick<BoxRecord, 'cpus' | 'memory_mb' | 'volumes'>): MachineShape {
  const slots = SLOT_CLASSES.find((count) => count >= record.volumes.length);
  if (slots === undefined) {
    throw new A3sError('invalid_config', `a box takes at most 16 bind mounts, not ${record.volumes.length}`);
  }
  return {
    vcpus: Math.min(Math.max(Math.ceil(record.cpus), 1), MAX_VCPUS),
    memoryMib: record.memory_mb + OVERHEAD_MIB,
    shareSlots: slots,
  };
}

/** A quota in µs per 100 ms period when the vCPUs are more than the user asked for; null otherwise. */
export function cpuQuota(record: Pick<BoxRecord, 'cpus'>): number | null {
  return Number.isInteger(record.cpus) ? null : Math.round(record.cpus * 100_000);
}
