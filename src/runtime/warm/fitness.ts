/** What a warm box is fit for, as a text that keeper and command make alike: equal texts, equal boxes. */
import { join } from 'node:path';

import { packageRoot } from '../../package-root.ts';
import { fileFingerprint } from '../host-cache.ts';
import type { MachineShape } from '../qemu/args.ts';
import { shapeOf } from '../templates/shape.ts';

/** What of the environment a monitor heeds: one that was started in another environment would run another box. */
const HEEDED = ['A3S_BOX_ACCEL', 'A3S_BOX_BOOT_TIMEOUT', 'A3S_BOX_QEMU', 'A3S_DEBUG'] as const;

export interface WarmKind {
  cpus: number;
  /** Of the workload, in MiB. */
  memoryMb: number;
  /** Digest of the root filesystem. */
  rootfs: string;
}

/** The machine of a warm box: it has no share of the host's. */
export function warmShape({ cpus, memoryMb }: Pick<WarmKind, 'cpus' | 'memoryMb'>): MachineShape {
  return shapeOf({ cpus, memory_mb: memoryMb }, 0);
}

/**
 * The image and the machine, and all that a box gets without being asked for it: the product, its guest bundle, the user, the environment.
 * @param bundleDir the guest bundle's directory
 */
export function fitnessOf(kind: WarmKind, bundleDir: string, env: NodeJS.ProcessEnv = process.env): string {
  const facts = {
    product: productMark(),
    bundle: [bundleDir, fileFingerprint(join(bundleDir, 'manifest.json'))],
    user: process.getuid?.() ?? null,
    environment: HEEDED.map((name) => env[name] ?? ''),
    rootfs: kind.rootfs,
    shape: warmShape(kind),
  };
  return JSON.stringify(facts);
}

/** Changes when another version of the monitor is installed. */
export function productMark(): string | null {
  return fileFingerprint(join(packageRoot(), 'dist', 'monitor.cjs'));
}
