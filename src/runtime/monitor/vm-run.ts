/** One life of a box's VM, from its boot to the workload's result. A box that is restarted has several, one after the other. */
import type { Server } from 'node:net';

import { A3sError } from '../../errors.ts';
import type { BoxPaths, Layout } from '../../state/layout.ts';
import { MAX_PIDS } from '../../state/box-settings.ts';
import type { BoxRecord } from '../../state/record.ts';
import { AgentFailed, AgentPort } from '../agent-link.ts';
import { startLimitMs } from '../deadlines.ts';
import { guestText } from '../protocol/guest-text.ts';
import type { Message } from '../protocol/messages.ts';
import type { QemuProcess } from '../qemu/process.ts';
import type { ProcessResult } from '../process-session.ts';
import { openContext, type RuntimeContext } from '../templates/context.ts';
import { bootBox, type BootedBox, type BootOptions } from './boot.ts';
import type { EarlyVm } from './early-vm.ts';
import { bridgeSocket } from './bridge.ts';
import type { Client } from './client.ts';
import type { BoxLimits } from './requests.ts';
import { note } from './monitor-log.ts';
import { OutputHub } from './output-hub.ts';
import { runRequest, type RunRequest } from './run-request.ts';
import { Workload } from './workload.ts';
import { openLog, type WorkloadLog } from './workload-log.ts';
import type { WarmVm } from '../warm/warm-vm.ts';
import { trace } from '../../trace.ts';

const SIGKILL = 9;
/** After KILL inside, the guest gets this long to report the end before the VM itself is killed. */
const KILL_GRACE_MS = 5_000;
/** An agent that has failed gets this long to write what it holds and to end its machine. */
const LAST_WRITES_MS = 10_000;
/** A guest that has a full disk to write takes seconds. */
const SYNC_MS = 30_000;
/** Less memory than a workload uses has to be reclaimed first. */
const LIMIT_MS = 20_000;
const MIB = 1024 * 1024;
const CPU_PERIOD_US = 100_000;

export interface RunOptions {
  layout: Layout;
  record: BoxRecord;
  paths: BoxPaths;
  rootfs: { path: string; digest: string };
  /** First window size. */
  size: { rows: number; cols: number };
  /** The request is sent and the guest at work: sockets may be opened meanwhile. */
  asked: () => void;
  /** The workload runs; what this throws ends the run, because a box whose start cannot be recorded must not run. */
  started: (box: StartedBox) => Promise<void>;
  given: GivenVm;
}

/** A VM for one run that was not made by it. */
export interface GivenVm {
  /** Up already. */
  warm?: WarmVm;
  /** On its way. */
  early?: EarlyVm | null;
}

/** What the start of a box tells of its VM. */
export type StartedBox = Pick<BootedBox, 'network' | 'shape' | 'fromImageTemplate'>;

export class VmRun {
  readonly #options: RunOptions;
  readonly #log: WorkloadLog;
  readonly hub: OutputHub;
  readonly #servers: Server[] = [];
  /** Ends whatever is under way when the box cannot go on. */
  readonly #abort = new AbortController();
  #qemu: QemuProcess | undefined;
  #box: BootedBox | undefined;
  #request: RunRequest | undefined;
  #workload: Workload | undefined;
  /** Input that came before the workload, and who waits for it. */
  #early: Buffer[] = [];
  readonly #held = new Set<Client>();
  #startedAt: number | null = null;
  #over = false;
  #paused = false;
  /** The workload has been sent KILL. */
  #dying = false;
  /** The VM was killed because a command asked for the box's end and the guest did not obey. */
  #killedOnRequest = false;
  /** The write of the running state, which the final state must follow. */
  #recorded: Promise<void> = Promise.resolve();

  constructor(options: RunOptions) {
    this.#options = options;
    this.#qemu = options.given.early?.qemu;
    this.#log = openLog(options.record);
    this.hub = new OutputHub(this.#log);
  }

  /** The workload has run. */
  get hasStarted(): boolean {
    return this.#startedAt !== null;
  }

  /** The workload runs, and is not about to end. */
  get isLive(): boolean {
    return this.hasStarted && !this.#over && this.#workload?.ended === false;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** The workload has been sent KILL and is about to end. */
  get isDying(): boolean {
    return this.#dying;
  }

  /** Milliseconds since the workload started. */
  get age(): number {
    return this.#startedAt === null ? 0 : performance.now() - this.#startedAt;
  }

  /** Boots and runs to the end, however it comes; never rejects. */
  async live(): Promise<ProcessResult> {
    const failed = new Promise<never>((_, reject) => {
      this.#abort.signal.addEventListener('abort', () => reject(reasonOf(this.#abort.signal)));
    });
    failed.catch(() => {});
    let booting: Promise<BootedBox> | undefined;
    let result: ProcessResult;
    try {
      const context = this.#options.given.warm?.context ?? openContext(this.#options.layout);
      booting = this.#boot(context);
      const box = await Promise.race([booting, failed]);
      result = await Promise.race([this.#runWorkload(box), failed]);
    } catch (error) {
      result = this.#failure(await this.#explain(error));
    }
    // A boot that was given up still ends its own VMs; this process must not go before.
    if (this.#abort.signal.aborted) await booting?.catch(() => {});
    return result;
  }

  /**
   * Kills the VM and closes its sockets; resolves once the start, if there was one, is written down.
   * @returns what resolves when log and disk are nobody's any more.
   */
  async end(): Promise<{ released: Promise<unknown> }> {
    this.#over = true;
    // First, because it also ends the wait for a start that never comes.
    const gone = this.#endVm();
    for (const server of this.#servers) server.close();
    await this.#recorded;
    return { released: Promise.all([this.#log.close(), gone]) };
  }

  async #endVm(): Promise<void> {
    const failed = reasonOf(this.#abort.signal) instanceof AgentFailed;
    if (failed && !this.#options.record.auto_remove && this.#qemu !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_WRITES_MS)));
      await Promise.race([this.#qemu.exited, late]);
      clearTimeout(timer);
    }
    await this.#qemu?.kill();
  }

  /** Gives the run up. */
  fail(error: unknown): void {
    this.#abort.abort(error);
  }

  /** The VM dies with a monitor that has come to a bad end. */
  killVm(): void {
    void this.#qemu?.kill();
  }

  /** A message from a client; input of one that brings too much, or too early, is held back. */
  send(message: Message, client: Client, isInput: boolean): void {
    if (this.#workload === undefined) {
      // The VM is still starting: a few messages at most, then the client waits.
      this.#early.push(message.raw);
      this.#held.add(client);
      client.hold(true);
      return;
    }
    this.#workload.send(message.raw);
    if (isInput && this.#workload.holdsInput(client)) client.hold(true);
  }

  /** Sends an encoded message to the workload, if there is one. */
  sendRaw(message: Buffer): void {
    this.#workload?.send(message);
  }

  signal(number: number): void {
    if (number === SIGKILL) this.#dying = true;
    this.#workload?.signal(number);
  }

  resize(rows: number, cols: number): void {
    this.#workload?.resize(rows, cols);
  }

  /** KILL after the grace, announced by `killing`, and the VM itself if even that does not end it. */
  killAfter(graceMs: number, killing: () => void): void {
    const kill = (): void => {
      if (!this.isLive) return;
      killing();
      this.signal(SIGKILL);
      const last = setTimeout(() => {
        this.#killedOnRequest = true;
        void this.#qemu?.kill();
      }, KILL_GRACE_MS);
      last.unref();
    };
    setTimeout(kill, graceMs).unref();
  }

  /** Stops or continues the VM's process. The guest's clock goes on meanwhile: it is right when the VM does. */
  pause(on: boolean): void {
    this.#paused = on;
    this.#qemu?.halt(on);
  }

  /**
   * Gives the workload other limits.
   * @throws A3sError `invalid_config` for more than the VM has, and what the guest says.
   */
  async limit({ cpus, memoryMb, pids, memoryReservation }: BoxLimits): Promise<void> {
    const { record } = this.#options;
    if (memoryMb > record.memory_mb) throw tooMuch(`${record.memory_mb} MiB of memory`);
    if (cpus > Math.ceil(record.cpus)) throw tooMuch(`${Math.ceil(record.cpus)} processors`);
    const limits = {
      memory_bytes: memoryMb * MIB,
      cpu_quota_us: Math.round(cpus * CPU_PERIOD_US),
      // None at all cannot be said: null leaves it as it is.
      pids: pids === 0 ? MAX_PIDS : (pids ?? null),
    };
    const request = { op: 'limit', limits, memory_low_bytes: memoryReservation ?? null };
    const result = await this.#box?.link.request(request, LIMIT_MS);
    if (result?.error !== undefined) throw new A3sError('io', result.error.message);
  }

  /** Has the guest write what it holds; for a box that goes on with its disk though it was to be thrown away. */
  async sync(): Promise<void> {
    await this.#box?.link.request({ op: 'sync' }, SYNC_MS).catch((error: unknown) => {
      note(`no sync: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  async #boot(context: RuntimeContext): Promise<BootedBox> {
    const { record, rootfs, size, given } = this.#options;
    const events: Pick<BootOptions, 'spawned' | 'lost' | 'diskFull'> = {
      spawned: (qemu, parts) => {
        this.#qemu = qemu;
        // There is time for it while the VM comes up.
        this.#request = runRequest(record, { ...parts, ...size });
        // Too late for a box that has been given up.
        if (this.#over || this.#abort.signal.aborted) void qemu.kill();
      },
      lost: (error) => {
        if (this.#workload?.ended !== true) this.#abort.abort(error);
      },
      diskFull: () =>
        this.#abort.abort(
          new A3sError('io', "the host's disk is full: the box could not write and was ended"),
        ),
    };
    const ready = await given.warm?.adopt(record, rootfs, events);
    const { signal } = this.#abort;
    return ready ?? bootBox(context, { record, rootfs, signal, early: given.early ?? null, ...events });
  }

  #runWorkload(box: BootedBox): Promise<ProcessResult> {
    const { paths } = this.#options;
    trace('guest: restored until its agent answers');
    if (this.#request === undefined) throw new Error('a VM without its request');
    const workload = new Workload(box.link, this.#request, this.hub);
    this.#box = box;
    this.#workload = workload;
    for (const message of this.#early) workload.send(message);
    this.#early = [];
    for (const client of this.#held) client.hold(false);
    this.#held.clear();
    // After the request is sent: the guest is at work meanwhile.
    const failed = (error: Error): void => this.#abort.abort(error);
    const bridge = (path: string, port: number): Server =>
      bridgeSocket({ link: box.link, port, answers: () => !this.#paused }, path, failed);
    this.#servers.push(bridge(paths.execSocket, AgentPort.exec), bridge(paths.agentSocket, AgentPort.health));
    this.#options.asked();
    this.#recorded = this.#onceStarted(workload, box);
    return workload.result;
  }

  /** Waits for the start and has it written down. */
  async #onceStarted(workload: Workload, box: BootedBox): Promise<void> {
    const limit = startLimitMs(box.mounts.some((mount) => mount.type === 'share' && mount.fill === true));
    const late = new A3sError('boot_failed', `the guest did not start the workload within ${limit} ms`, {
      stage: 'start',
    });
    const timer = setTimeout(() => this.#abort.abort(late), limit);
    try {
      await workload.started;
    } catch {
      return;
    } finally {
      clearTimeout(timer);
    }
    trace('guest: workload started');
    this.#startedAt = performance.now();
    try {
      await this.#options.started(box);
    } catch (error) {
      this.#abort.abort(error);
    }
  }

  /** A session that broke once it was open: QEMU's last words say most about why. */
  async #explain(error: unknown): Promise<unknown> {
    if (error instanceof A3sError || !(error instanceof Error)) return error;
    const exit = await this.#qemu?.kill();
    const words = guestText(exit?.stderr.trim().split('\n').at(-1));
    const message = words === '' ? error.message : `${error.message} (QEMU: ${words})`;
    return new A3sError('guest_protocol', message, { cause: error });
  }

  #failure(error: unknown): ProcessResult {
    const killed = { exitCode: 128 + SIGKILL, signal: SIGKILL };
    if (this.#killedOnRequest && this.hasStarted) return killed;
    const message = error instanceof Error ? error.message : String(error);
    note(message);
    // The workload ran and its VM is gone: to whoever waits, it was killed.
    if (this.hasStarted) return { ...killed, error: { code: 'io', stage: 'vm', message } };
    const code = error instanceof A3sError ? error.code : 'io';
    const stage = error instanceof A3sError ? (error.stage ?? '') : '';
    const hint = error instanceof A3sError ? error.hint : undefined;
    const exitCode = (error instanceof A3sError ? error.exitStatus : undefined) ?? 125;
    return { exitCode, error: { code, stage, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

function tooMuch(what: string): A3sError {
  return new A3sError('invalid_config', `its virtual machine was started with ${what}`, {
    hint: 'stop the box to give it more',
  });
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
