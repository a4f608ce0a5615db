/** What template builds and clones have in common: the host, the bundle and the accelerator. */
import { chmodSync, mkdirSync } from 'node:fs';

import type { Layout } from '../../state/layout.ts';
import { openBundle, type GuestBundle } from '../bundle.ts';
import { loadHostCache, type HostCache } from '../host-cache.ts';
import type { Accelerator, MachineShape } from '../qemu/args.ts';
import type { TemplateInputs } from './template.ts';

export interface RuntimeContext {
  layout: Layout;
  bundle: GuestBundle;
  host: HostCache;
  /** QEMU runs as root: 9p keeps the guest's owners. */
  privileged: boolean;
}

export function openContext(layout: Layout): RuntimeContext {
  const bundle = openBundle();
  mkdirSync(layout.home, { recursive: true, mode: 0o700 });
  mkdirSync(layout.emptyShareDir, { recursive: true, mode: 0o700 });
  return { layout, bundle, host: loadHostCache(layout, bundle), privileged: process.getuid?.() === 0 };
}

/**
 * The CPU model that goes with an accelerator: everything it has. But for the fast string instructions under emulation, where
 * `rep movsb` is done byte by byte: a guest that is told it is fast copies at half the rate.
 */
export function acceleratorOf(name: 'kvm' | 'tcg'): Accelerator {
  return { name, cpu: name === 'kvm' ? 'host' : 'max,erms=off,fsrm=off' };
}

/**
 * Spared, because it is work at every exec, session or tick, and for nothing in a box: security modules without a policy, groups
 * of processes by session, which a box with its own control group never schedules by, a watchdog for hung processors, averages of how long
 * processes wait for each other (`/proc/pressure`), which also wake an idle guest every two seconds.
 */
const SPARED = ['lsm=landlock,yama', 'noautogroup', 'nowatchdog', 'psi=0'];

/**
 * The kernel's command line. Under emulation the TSC's rate is given, because its calibration hangs one boot in five there. The
 * kernel is told to trust the TSC, because it would otherwise count its own ticks, which are late on a busy host. And the guest's
 * CPU-bug mitigations are off, because the emulated CPU has none of those bugs. A restart is a triple fault, at which QEMU ends: of
 * the other ways the machine has none, and a guest that has lost its monitor would stand still in a QEMU that stays.
 */
export function kernelCommandLine(accelerator: Accelerator, tscKhz: number): string {
  const emulated =
    accelerator.name === 'tcg' ? [`tsc_early_khz=${tscKhz}`, 'tsc=reliable', 'mitigations=off'] : [];
  const always = ['console=hvc0', 'quiet', 'panic=-1', 'reboot=t', 'random.trust_cpu=on', 'audit=0'];
  return [...always, ...SPARED, ...emulated].join(' ');
}

export function templateInputs(
  context: RuntimeContext,
  accelerator: Accelerator,
  shape: MachineShape,
  rootfs: string | null,
): TemplateInputs {
  return {
    bundle: context.bundle.identity,
    qemu: context.host.qemu.fingerprint,
    accelerator,
    tscKhz: accelerator.name === 'tcg' ? context.host.tscKhz : 0,
    commandLine: kernelCommandLine(accelerator, context.host.tscKhz),
    shape,
    rootfs,
  };
}

/** A private copy of a sealed file is writable again. */
export function makeWritable(path: string): void {
  chmodSync(path, 0o600);
}
