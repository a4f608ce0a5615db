/** Linux capabilities by name, and which of them a workload has (moby, `oci/caps`). Pure. */
import type { BoxSettings } from './box-settings.ts';

/** By number, `linux/capability.h`. */
export const CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');
const DEFAULT = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
).split(' ');
/** Stands for all of them. */
export const ALL = 'ALL';

/**
 * What the workload has, named without `CAP_`; null for Docker's default set. Both lists are normal; what is added and dropped
 * is added.
 */
export function effectiveCapabilities(
  settings: Pick<BoxSettings, 'cap_add' | 'cap_drop' | 'privileged'>,
): string[] | null {
  const { cap_add: add, cap_drop: drop, privileged } = settings;
  if (privileged) return CAPABILITIES;
  if (add.length + drop.length === 0) return null;
  const added = add.filter((name) => name !== ALL).map((name) => name.slice(4));
  const stays = (name: string): boolean => !drop.includes(`CAP_${name}`);
  if (add.includes(ALL)) return CAPABILITIES.filter(stays);
  if (drop.includes(ALL)) return added;
  return [...new Set([...DEFAULT.filter(stays), ...added])];
}
