/** From a record to a connected VM: template, disk, shares, network, clone; one retry when a template does not come up. */
import { A3sError, hasErrno } from '../../errors.ts';
import { boxPaths } from '../../state/layout.ts';
import type { BoxRecord } from '../../state/record.ts';
import { verifyBundle } from '../bundle-check.ts';
import { bootTryMs } from '../deadlines.ts';
import { backendOf, isDrawn, type NetworkAttachment } from '../network.ts';
import type { QemuProcess } from '../qemu/process.ts';
import type { RuntimeContext } from '../templates/context.ts';
import {
  discardTemplate,
  ensureBaseTemplate,
  findImageTemplate,
  type FoundTemplate,
} from '../templates/ensure.ts';
import { shapeOf } from '../templates/shape.ts';
import { CloneError, cloneSpawn, startClone, type Vm } from '../vm.ts';
import { type MachineShape, type Share, TRANSFER } from '../qemu/args.ts';
import { provideTransfer } from '../transfer/disk.ts';
import { takeEarly, type EarlyVm } from './early-vm.ts';
import { planMounts, type MountPlan } from './mounts.ts';
import { provideScratch } from './scratch.ts';
import { readBoxes } from '../../state/boxes-file.ts';
import { sweepFills } from './volume-share.ts';

/** A random host port may be taken by somebody else before QEMU binds it. */
const PORT_TRIES = 3;

/** What of a box its VM is made of. */
export type BootRecord = Pick<
  BoxRecord,
  | 'box_dir'
  | 'hostname'
  | 'cpus'
  | 'memory_mb'
  | 'volumes'
  | 'tmpfs'
  | 'network'
  | 'dns'
  | 'port_map'
  | 'has_writes'
>;

export interface BootOptions {
  record: BootRecord;
  rootfs: { path: string; digest: string };
  /** Gives the boot up, with every VM that is under way for it. */
  signal: AbortSignal;
  /** Told of each QEMU at once, so that it never runs unowned, with what the guest will have to be told. */
  spawned: (qemu: QemuProcess, parts: { network: NetworkAttachment; mounts: MountPlan[] }) => void;
  lost: (error: Error) => void;
  /** QEMU could not write the box's disk and has stopped the VM. */
  diskFull: () => void;
  /** A VM that is on its way already, taken if it is the one that the box needs, else killed. */
  early?: EarlyVm | null;
}

export interface BootedBox extends Vm {
  network: NetworkAttachment;
  shape: MachineShape;
  mounts: MountPlan[];
  /** False: the box ran from the base template, and its image has no template yet. */
  fromImageTemplate: boolean;
}

/**
 * Brings the box's VM up to the agent's answer.
 * @throws A3sError `boot_failed`, `port_taken`, `host_setup`, `invalid_config`, `state_corrupt`.
 */
export async function bootBox(context: RuntimeContext, options: BootOptions): Promise<BootedBox> {
  const { record } = options;
  const plan = planMounts(record, boxPaths(record.box_dir).sharesDir);
  const shape = shapeOf(record, plan.shares.length);
  await sweepVolumes(context, plan);
  const randomPorts = record.port_map.some(isDrawn);
  let early = options.early ?? null;
  for (let attempt = 1; ; attempt += 1) {
    const found = await chooseTemplate(context, shape, options);
    try {
      return await bootFrom(context, options, { found, shape, ...plan, early });
    } catch (error) {
      const wasEarly = early !== null;
      early = null;
      options.signal.throwIfAborted();
      const portTaken = error instanceof A3sError && error.code === 'port_taken';
      // One that was planned ahead has tried its ports for the first time; the second try says what is wrong with them.
      if (portTaken && (randomPorts || wasEarly) && attempt < PORT_TRIES) continue;
      const fault = error instanceof CloneError ? error.template : hasErrno(error, 'ENOENT') ? 'gone' : null;
      if (fault === null || attempt > 1) throw error;
      // One that has gone was replaced by a neighbour: it is looked for again.
      if (fault === 'unsound') await discardTemplate(context.layout, found.template);
    }
  }
}

async function chooseTemplate(
  context: RuntimeContext,
  shape: MachineShape,
  { record, rootfs, signal }: BootOptions,
): Promise<FoundTemplate> {
  // A disk that holds the box's writes is mounted anew: an image template has another one mounted.
  const ready = record.has_writes ? null : findImageTemplate(context, shape, rootfs.digest);
  return ready ?? ensureBaseTemplate(context, shape, signal);
}

interface BootParts {
  found: FoundTemplate;
  shape: MachineShape;
  shares: Share[];
  mounts: MountPlan[];
  early: EarlyVm | null;
}

/** Volumes that are to be filled may hold what boxes left that were killed at it. */
async function sweepVolumes(
  { layout }: RuntimeContext,
  { shares, mounts }: { shares: readonly Share[]; mounts: readonly MountPlan[] },
): Promise<void> {
  const filled = mounts.filter((mount) => mount.type === 'share' && mount.fill === true);
  if (filled.length === 0) return;
  const boxes = await readBoxes(layout);
  const active = boxes.filter((box) => box.pid !== null).map((box) => box.id);
  for (const mount of filled) {
    const share = shares.find((_, slot) => mount.type === 'share' && mount.tag === `share${slot}`);
    if (share !== undefined) sweepFills(share.path, active);
  }
}

async function bootFrom(
  context: RuntimeContext,
  options: BootOptions,
  { found, shape, shares, mounts, ...parts }: BootParts,
): Promise<BootedBox> {
  const { record, rootfs } = options;
  const paths = boxPaths(record.box_dir);
  const original = found.template.scratch ?? context.bundle.scratch;
  if (original === context.bundle.scratch && !record.has_writes)
    verifyBundle(context.bundle, ['scratch.qcow2']);
  // A VM that is on its way has taken the ports that were asked for: they are not free to be tried.
  const backend = backendOf(record);
  const asked = parts.early === null ? null : backend.asAsked(record);
  const network = asked ?? (await backend.attach(record));
  const plan = {
    boxDir: record.box_dir,
    found,
    shape,
    root: rootfs.path,
    scratch: paths.scratch,
    netdev: network.netdev,
    shares,
    consoleFile: paths.consoleLog,
  };
  const spawn = cloneSpawn(context, plan);
  const early = await takeEarly(parts.early, spawn);
  // Who planned the early one has made its disks.
  if (early === null) {
    provideScratch(paths.scratch, original, record.has_writes);
    provideTransfer(paths.transfer);
  }
  const { qemu, ready } = startClone(
    spawn,
    { ...plan, scratchKept: record.has_writes, deadlineMs: bootTryMs(), lost: options.lost },
    early,
  );
  qemu.qmp.onDiskError = (disk) => {
    if (disk !== TRANSFER) options.diskFull();
  };
  options.spawned(qemu, { network, mounts });
  const vm = await ready;
  return { ...vm, network, shape, mounts, fromImageTemplate: found.template.scratch !== null };
}
