/** A VM of its own directory, without a box: cloned from a base template, connected, with nothing mounted. It ends with this process. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { hasErrno } from '../errors.ts';
import { transferFile } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { verifyBundle } from './bundle-check.ts';
import { bootTryMs } from './deadlines.ts';
import { provideScratch } from './monitor/scratch.ts';
import { slirp, type NetworkAttachment } from './network.ts';
import { type Share, TRANSFER } from './qemu/args.ts';
import type { QemuProcess } from './qemu/process.ts';
import type { RuntimeContext } from './templates/context.ts';
import { discardTemplate, ensureBaseTemplate } from './templates/ensure.ts';
import { shapeOf } from './templates/shape.ts';
import { provideTransfer } from './transfer/disk.ts';
import { CloneError, cloneSpawn, startClone, type Vm } from './vm.ts';

export interface BareVmOptions {
  /** Made, and removed by whoever ends the VM. The process list shows it: leftovers are found by it. */
  dir: string;
  /** A squashfs. */
  root: string;
  machine: Pick<BoxRecord, 'cpus' | 'memory_mb'>;
  shares: Share[];
  dns: string[];
  hostname: string;
  /** Gives the boot up, with every VM that is under way for it. */
  signal: AbortSignal;
  /** Told of each QEMU at once, so that it never runs unowned. */
  spawned: (qemu: QemuProcess) => void;
  /** The session is over. */
  lost: (error: Error) => void;
  /** QEMU could not write the VM's disk and has stopped the VM. */
  diskFull: () => void;
}

export interface BareVm extends Vm {
  network: NetworkAttachment;
}

/**
 * Brings the VM up to its agent's answer.
 * @throws A3sError `boot_failed`, `host_setup`, `invalid_config`; the signal's reason.
 */
export async function bootBareVm(context: RuntimeContext, options: BareVmOptions): Promise<BareVm> {
  const shape = shapeOf(options.machine, options.shares.length);
  for (let attempt = 1; ; attempt += 1) {
    const found = await ensureBaseTemplate(context, shape, options.signal);
    options.signal.throwIfAborted();
    try {
      verifyBundle(context.bundle, ['scratch.qcow2']);
      rmSync(options.dir, { recursive: true, force: true });
      mkdirSync(options.dir, { recursive: true, mode: 0o700 });
      const scratch = join(options.dir, 'scratch.qcow2');
      provideScratch(scratch, context.bundle.scratch, false);
      provideTransfer(transferFile(options.dir));
      const network = await slirp.attach({ port_map: [], dns: options.dns, hostname: options.hostname });
      const clone = {
        boxDir: options.dir,
        found,
        shape,
        root: options.root,
        scratch,
        scratchKept: false,
        scratchFleeting: true,
        netdev: network.netdev,
        shares: options.shares,
        consoleFile: join(options.dir, 'console.log'),
        deadlineMs: bootTryMs(),
        lost: options.lost,
      };
      const { qemu, ready } = startClone(cloneSpawn(context, clone), clone);
      qemu.qmp.onDiskError = (disk) => {
        if (disk !== TRANSFER) options.diskFull();
      };
      options.spawned(qemu);
      return { ...(await ready), network };
    } catch (error) {
      options.signal.throwIfAborted();
      const fault = error instanceof CloneError ? error.template : hasErrno(error, 'ENOENT') ? 'gone' : null;
      if (fault === null || attempt > 1) throw error;
      // One that has gone was replaced by a neighbour: it is looked for again.
      if (fault === 'unsound') await discardTemplate(context.layout, found.template);
    }
  }
}
