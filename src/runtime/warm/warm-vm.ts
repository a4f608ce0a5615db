/** A VM that is up before anybody has asked for its box: cloned, its agent's answer there, a trivial workload rehearsed. */
import { A3sError } from '../../errors.ts';
import { boxPaths } from '../../state/layout.ts';
import type { BoxRecord } from '../../state/record.ts';
import { bootBox, type BootedBox, type BootOptions, type BootRecord } from '../monitor/boot.ts';
import { planMounts } from '../monitor/mounts.ts';
import { slirp } from '../network.ts';
import type { QemuProcess } from '../qemu/process.ts';
import type { RuntimeContext } from '../templates/context.ts';
import { ensureImageTemplate } from '../templates/ensure.ts';
import { warmShape } from './fitness.ts';
import type { WarmRequest } from './request.ts';

/** It takes a third of a second under emulation, and waits for others on a busy machine. */
const REHEARSAL_MS = 30_000;

export class WarmVm {
  readonly context: RuntimeContext;
  readonly #request: WarmRequest;
  readonly #box: BootedBox;
  /** Who hears what becomes of the VM: first whoever keeps it warm, then the box's run. */
  readonly #watch: Watch;

  private constructor(context: RuntimeContext, request: WarmRequest, box: BootedBox, watch: Watch) {
    this.context = context;
    this.#request = request;
    this.#box = box;
    this.#watch = watch;
  }

  /**
   * Makes the image's template if there is none, and a VM from it.
   * @param record the facts of the box's VM, which no command may change
   * @param spawned told of QEMU at once, so that it never runs unowned
   * @throws A3sError as bootBox does.
   */
  static async boot(
    context: RuntimeContext,
    request: WarmRequest,
    {
      record,
      signal,
      spawned,
    }: { record: BootRecord; signal: AbortSignal; spawned: (qemu: QemuProcess) => void },
  ): Promise<WarmVm> {
    const rootfs = { path: request.rootfsPath, digest: request.rootfs };
    await ensureImageTemplate(context, warmShape(request), rootfs, request.commands, signal);
    const watch = new Watch();
    const box = await bootBox(context, {
      record,
      rootfs,
      signal,
      spawned,
      lost: (error) => watch.lost(error),
      diskFull: () => watch.diskFull(),
    });
    const { exitCode, error } = await box.link.request({ op: 'rehearse' }, REHEARSAL_MS);
    if (exitCode !== 0) {
      throw new A3sError(
        'boot_failed',
        `the guest cannot rehearse: ${error?.message ?? `status ${exitCode}`}`,
        {
          stage: 'rehearse',
        },
      );
    }
    return new WarmVm(context, request, box, watch);
  }

  /** Calls back when the VM is of no more use; at once if it is already. */
  onLost(callback: (error: Error) => void): void {
    this.#watch.hear({ lost: callback, diskFull: () => callback(new Error('the disk is full')) });
  }

  /**
   * Becomes the VM of a box. What of the box its agent has yet to be told is told by `spawned`, as bootBox does.
   * @returns null when it cannot: it is not as the box must be, or is lost; it has been killed then.
   */
  async adopt(
    record: BoxRecord,
    rootfs: { digest: string },
    { spawned, lost, diskFull }: Pick<BootOptions, 'spawned' | 'lost' | 'diskFull'>,
  ): Promise<BootedBox | null> {
    if (this.#watch.isLost || !this.#fits(record, rootfs)) {
      await this.#box.qemu.kill();
      return null;
    }
    this.#watch.hear({ lost, diskFull });
    const { mounts } = planMounts(record, boxPaths(record.box_dir).sharesDir);
    const network = await slirp.attach(record);
    spawned(this.#box.qemu, { network, mounts });
    return { ...this.#box, network, mounts };
  }

  /** A command compares before it takes a box; a box that is not as it asked is never run for all that. */
  #fits(record: BoxRecord, { digest }: { digest: string }): boolean {
    const kind = { cpus: record.cpus, memoryMb: record.memory_mb };
    return (
      digest === this.#request.rootfs &&
      record.short_id === this.#request.shortId &&
      record.hostname === this.#request.shortId &&
      JSON.stringify(warmShape(kind)) === JSON.stringify(warmShape(this.#request)) &&
      record.network === 'default' &&
      record.port_map.length === 0 &&
      record.volumes.length === 0 &&
      !record.has_writes
    );
  }
}

type Hearer = Pick<BootOptions, 'lost' | 'diskFull'>;

/** Passes on what becomes of a VM to whoever answers for it, however late that one comes. */
class Watch {
  #hearer: Hearer | undefined;
  #error: Error | undefined;
  #full = false;

  get isLost(): boolean {
    return this.#error !== undefined || this.#full;
  }

  lost(error: Error): void {
    this.#error = error;
    this.#hearer?.lost(error);
  }

  diskFull(): void {
    this.#full = true;
    this.#hearer?.diskFull();
  }

  hear(hearer: Hearer): void {
    this.#hearer = hearer;
    if (this.#error !== undefined) hearer.lost(this.#error);
    else if (this.#full) hearer.diskFull();
  }
}
