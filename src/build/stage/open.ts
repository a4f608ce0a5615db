/** Opening a stage's VM. */
import { rmSync } from 'node:fs';

import { A3sError } from '../../errors.ts';
import { bootBareVm } from '../../runtime/bare-vm.ts';
import { bootTryMs } from '../../runtime/deadlines.ts';
import { ownersOf } from '../../runtime/monitor/volume-share.ts';
import { guestText } from '../../runtime/protocol/guest-text.ts';
import type { QemuProcess } from '../../runtime/qemu/process.ts';
import { openContext } from '../../runtime/templates/context.ts';
import { type Layout, transferFile } from '../../state/layout.ts';
import { workDirectory } from '../../state/template-builds.ts';
import { BuildStageVm } from './build-stage-vm.ts';
import { exchange } from './exchange.ts';
import { beginRequest, HOSTNAME } from './requests.ts';
import { scratchRoot } from './scratch-root.ts';
import type { StageVm, StageVmOptions } from './types.ts';

/**
 * Brings a stage's VM up, ready for layers and commands. It ends with `close`, with the signal, and with this process; what a killed process
 * leaves is swept by the next command.
 * @throws A3sError `boot_failed`, `host_setup`, `invalid_config` for too many shares, `io`; the signal's reason.
 */
export async function openStageVm(layout: Layout, options: StageVmOptions): Promise<StageVm> {
  const { signal } = options;
  signal.throwIfAborted();
  const dir = workDirectory(layout, 'vm');
  const end = Promise.withResolvers<never>();
  end.promise.catch(() => {});
  let qemu: QemuProcess | undefined;
  let isLost = false;
  const kill = (): void => void qemu?.kill();
  const aborted = (): void => {
    end.reject(reasonOf(signal));
    kill();
  };
  process.on('exit', kill);
  signal.addEventListener('abort', aborted, { once: true });
  const close = async (): Promise<void> => {
    end.reject(new A3sError('guest_protocol', 'the VM of the stage has been closed'));
    signal.removeEventListener('abort', aborted);
    await qemu?.kill();
    process.off('exit', kill);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const vm = await bootBareVm(openContext(layout), {
      dir,
      root: options.rootfs?.path ?? (await scratchRoot(layout)),
      machine: { cpus: options.cpus, memory_mb: options.memoryMb },
      shares: options.shares.map(({ directory }) => ({
        path: directory,
        readOnly: false,
        owners: ownersOf(directory),
      })),
      dns: [...options.dns],
      hostname: HOSTNAME,
      signal,
      spawned: (spawned) => {
        qemu = spawned;
        if (signal.aborted) kill();
      },
      lost: (error) => {
        isLost = true;
        void tell(end.reject, error, qemu);
      },
      diskFull: () => {
        end.reject(new A3sError('io', "the host's disk is full: the build's VM could not write"));
        kill();
      },
    });
    const begun = exchange(vm.link, beginRequest(options, vm.network), { idleMs: bootTryMs() });
    begun.catch(() => {});
    const { result } = await Promise.race([begun, end.promise]);
    if (result.error !== undefined) {
      const { message, stage } = result.error;
      throw new A3sError('boot_failed', `the guest cannot mount the image: ${message}`, { stage });
    }
    return new BuildStageVm({
      link: vm.link,
      transfer: transferFile(dir),
      shares: options.shares,
      lost: end.promise,
      isLost: () => isLost,
      close,
    });
  } catch (error) {
    await close();
    throw signal.aborted ? reasonOf(signal) : error;
  }
}

/** A session that broke: QEMU's last words say most about why. */
async function tell(
  reject: (reason: A3sError) => void,
  error: Error,
  qemu: QemuProcess | undefined,
): Promise<void> {
  const exit = await qemu?.kill();
  const words = guestText(exit?.stderr.trim().split('\n').at(-1));
  const message = `the VM of the stage was lost: ${error.message}${words === '' ? '' : ` (QEMU: ${words})`}`;
  reject(new A3sError('guest_protocol', message, { cause: error }));
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
