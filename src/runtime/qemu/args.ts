/** QEMU's command line, from typed parts: pure. The rules behind it stand in docs/architecture.md, "Templates". */

/** What must be equal between a template and its clones. */
export interface MachineShape {
  vcpus: number;
  /** The VM's whole memory. */
  memoryMib: number;
  /** How many 9p devices the machine has. */
  shareSlots: number;
}

export interface Accelerator {
  name: 'kvm' | 'tcg';
  /** QEMU's `-cpu` model. */
  cpu: string;
}

export type Disk =
  | { kind: 'placeholder' }
  /** `fleeting`: nobody reads it once the VM has ended, so that the guest need not wait until it is on the host's disk. */
  | { kind: 'file'; path: string; format: 'raw' | 'qcow2'; fleeting?: boolean };

export interface Share {
  path: string;
  readOnly: boolean;
  /**
   * Where owners go that QEMU cannot give to files, when it does not run as root: `drop` leaves the files with its own
   * user, `attributes` keeps them, with modes and kinds, in extended attributes of each file (QEMU's mapped-xattr).
   */
  owners: 'drop' | 'attributes';
}

export interface VmPlan {
  /** Shown in the process list. */
  name: string;
  shape: MachineShape;
  accelerator: Accelerator;
  /** RAM: `own` writes the file (a template being made), `copy` maps it copy-on-write (a clone). */
  memory: { file: string; mode: 'own' | 'copy' };
  /** Set for a cold boot only; a clone's kernel is in its memory. */
  kernel?: { vmlinux: string; initramfs: string; commandLine: string };
  /** True when device state will be loaded from a file. */
  incoming: boolean;
  root: Disk;
  scratch: Disk;
  /** By way of which archives cross. */
  transfer: Disk;
  /** The value of `-netdev` for id `net0`, from the network backend. */
  netdev: string;
  /** At most `shape.shareSlots`; the rest export `emptyShare`. */
  shares: Share[];
  emptyShare: string;
  /** Whether 9p may keep the guest's owners (QEMU runs as root). */
  privileged: boolean;
  /** File descriptors in QEMU, connected sockets. */
  qmpFd: number;
  agentFd: number;
  /** The kernel's console; null throws it away. */
  consoleFile: string | null;
}

/** Bytes a disk of a template claims to have; every real disk must be smaller. */
const PLACEHOLDER_BYTES = 1024 ** 4;
/** Translation cache of the emulator; costs only what is used. */
const TCG_CACHE_MIB = 256;
export const GUEST_MAC = '52:54:00:a3:50:01';
/** Nobody has known a clone under another address: its network need not hear that it has moved. */
const NIC = `virtio-net-device,netdev=net0,mac=${GUEST_MAC},guest_announce=off`;
/** The transfer disk, for QEMU and the guest. */
export const TRANSFER = 'transfer';
const SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';

/** A value inside a QEMU option string: commas are doubled. */
export function escapeOption(value: string): string {
  return value.replaceAll(',', ',,');
}

/** The whole argument vector, without the program. */
export function qemuArguments(plan: VmPlan): string[] {
  const { shape } = plan;
  return [
    '-name',
    escapeOption(plan.name),
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-no-reboot',
    '-sandbox',
    SANDBOX,
    '-M',
    machineOption(),
    '-accel',
    acceleratorOption(plan.accelerator),
    '-cpu',
    plan.accelerator.cpu,
    '-smp',
    String(shape.vcpus),
    '-m',
    String(shape.memoryMib),
    ...memoryArguments(plan),
    ...(plan.kernel === undefined
      ? []
      : [
          '-kernel',
          plan.kernel.vmlinux,
          '-initrd',
          plan.kernel.initramfs,
          '-append',
          plan.kernel.commandLine,
        ]),
    ...channelArguments(plan),
    ...diskArguments('root', plan.root, true),
    ...diskArguments('scratch', plan.scratch, false),
    // What the host has no room for is this transfer's failure, and no reason to stop the VM.
    ...diskArguments(TRANSFER, plan.transfer, false, ',rerror=report,werror=report'),
    '-netdev',
    plan.netdev,
    '-device',
    NIC,
    ...shareArguments(plan),
    ...(plan.incoming ? ['-incoming', 'defer'] : []),
  ];
}

function machineOption(): string {
  // rtc=on: without it the kernel waits two seconds for a clock that does not answer.
  // mem-merge=off: pages that were merged tell by the time of a write what other boxes' memory holds (docs/security.md, "Memory").
  return 'microvm,x-option-roms=off,pit=on,pic=on,rtc=on,isa-serial=off,acpi=on,mem-merge=off,memory-backend=ram';
}

function acceleratorOption(accelerator: Accelerator): string {
  return accelerator.name === 'tcg' ? `tcg,thread=multi,tb-size=${TCG_CACHE_MIB}` : accelerator.name;
}

function memoryArguments({ memory, shape }: VmPlan): string[] {
  const share = memory.mode === 'own' ? 'on' : 'off';
  return [
    '-object',
    `memory-backend-file,id=ram,size=${shape.memoryMib}M,mem-path=${escapeOption(memory.file)},share=${share}`,
  ];
}

function channelArguments(plan: VmPlan): string[] {
  const console =
    plan.consoleFile === null ? 'null,id=console' : `file,id=console,path=${escapeOption(plan.consoleFile)}`;
  return [
    '-chardev',
    `socket,id=qmp,fd=${plan.qmpFd}`,
    '-mon',
    'chardev=qmp,mode=control',
    '-chardev',
    `socket,id=agent,fd=${plan.agentFd}`,
    '-chardev',
    console,
    '-device',
    'virtio-serial-device',
    '-device',
    'virtconsole,chardev=console',
    '-device',
    'virtserialport,chardev=agent,name=a3s.agent.0',
  ];
}

function diskArguments(
  name: 'root' | 'scratch' | typeof TRANSFER,
  disk: Disk,
  readOnly: boolean,
  onError = '',
): string[] {
  const access = `read-only=${readOnly ? 'on' : 'off'}`;
  const device = ['-device', `virtio-blk-device,drive=${name},serial=${name}${onError}`];
  if (disk.kind === 'placeholder') {
    return [
      '-blockdev',
      `driver=null-co,node-name=${name},size=${PLACEHOLDER_BYTES},read-zeroes=on,${access}`,
      ...device,
    ];
  }
  const file = `file.driver=file,file.filename=${escapeOption(disk.path)}`;
  const discard = readOnly ? '' : ',discard=unmap';
  const flush = disk.fleeting === true ? ',cache.no-flush=on' : '';
  return [
    '-blockdev',
    `driver=${disk.format},node-name=${name},${access}${discard}${flush},${file}`,
    ...device,
  ];
}

function shareArguments(plan: VmPlan): string[] {
  return Array.from({ length: plan.shape.shareSlots }, (_, slot) => {
    const share = plan.shares[slot] ?? { path: plan.emptyShare, readOnly: true, owners: 'drop' };
    const mapped = share.owners === 'attributes' ? 'mapped-xattr' : 'none';
    const model = plan.privileged ? 'passthrough' : mapped;
    const access = share.readOnly ? ',readonly=on' : '';
    return [
      '-fsdev',
      `local,id=fs${slot},path=${escapeOption(share.path)},security_model=${model},multidevs=remap${access}`,
      '-device',
      `virtio-9p-device,fsdev=fs${slot},mount_tag=share${slot}`,
    ];
  }).flat();
}
