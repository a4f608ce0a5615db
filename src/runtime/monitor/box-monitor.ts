/** The monitor of one box: owns its VM from the first byte to the last, and its record while it runs. */
import { mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import { boxPaths, layoutOf, type BoxPaths } from '../../state/layout.ts';
import { AgentPort } from '../agent-link.ts';
import { startLimitMs } from '../deadlines.ts';
import { guestText } from '../protocol/guest-text.ts';
import { MessageType, encodeJsonMessage, encodeMessage, type Message } from '../protocol/messages.ts';
import type { QemuProcess } from '../qemu/process.ts';
import type { ProcessResult } from '../process-session.ts';
import { openContext, type RuntimeContext } from '../templates/context.ts';
import { ensureImageTemplate } from '../templates/ensure.ts';
import { bootBox, type BootedBox } from './boot.ts';
import { bridgeSocket } from './bridge.ts';
import type { Client } from './client.ts';
import { controlServer, type ControlledBox } from './control.ts';
import { JsonLog } from './json-log.ts';
import { note } from './monitor-log.ts';
import { OutputHub } from './output-hub.ts';
import { BoxLedger } from './ledger.ts';
import type { AttachRequest, LaunchRequest } from './requests.ts';
import { Workload } from './workload.ts';
import { trace } from '../../trace.ts';

const SIGKILL = 9;
const SIGTERM = 15;
/** After KILL inside, the guest gets this long to report the end before the VM itself is killed. */
const KILL_GRACE_MS = 5_000;

export class BoxMonitor implements ControlledBox {
  readonly #request: LaunchRequest;
  readonly #paths: BoxPaths;
  readonly #ledger: BoxLedger;
  readonly #log: JsonLog;
  readonly #hub: OutputHub;
  readonly #clients = new Set<Client>();
  readonly #waiting = new Set<Client>();
  readonly #servers: Server[] = [];
  /** Ends whatever is under way when the box cannot go on. */
  readonly #abort = new AbortController();
  #qemu: QemuProcess | undefined;
  #workload: Workload | undefined;
  #launcher: Client | undefined;
  /** Input that came before the workload. */
  #early: Buffer[] = [];
  #starting = true;
  #settled = false;
  /** The VM was killed because a command asked for the box's end and the guest did not obey. */
  #killedOnRequest = false;
  /** The write of the running state, which the final state must follow. */
  #recorded: Promise<void> = Promise.resolve();
  /** The image template that is being made beside the box. */
  #template: Promise<void> = Promise.resolve();

  constructor(request: LaunchRequest) {
    this.#request = request;
    this.#paths = boxPaths(request.record.box_dir);
    this.#ledger = new BoxLedger(layoutOf(request.home), request.record);
    mkdirSync(join(this.#paths.dir, 'sockets'), { recursive: true, mode: 0o700 });
    this.#log = new JsonLog(this.#paths.jsonLog, (error) => note(`the log ends here: ${error.message}`));
    this.#hub = new OutputHub(this.#log);
  }

  /** Runs the box to its end. The launching command hears STARTED or why not; everyone attached hears the RESULT. */
  async run(launcher: Client): Promise<void> {
    this.#launcher = launcher;
    this.#adopt(launcher, this.#request);
    const failed = new Promise<never>((_, reject) => {
      this.#abort.signal.addEventListener('abort', () => reject(reasonOf(this.#abort.signal)));
    });
    failed.catch(() => {});
    let booting: Promise<BootedBox> | undefined;
    let result: ProcessResult;
    try {
      trace('monitor: request');
      const context = openContext(layoutOf(this.#request.home));
      booting = this.#boot(context);
      const box = await Promise.race([booting, failed]);
      result = await Promise.race([this.#runWorkload(context, box), failed]);
    } catch (error) {
      result = this.#failure(await this.#explain(error));
    }
    // A boot that was given up still ends its own VMs; this process must not go before.
    if (this.#abort.signal.aborted) await booting?.catch(() => {});
    await this.#settle(result);
    await this.#template;
  }

  /** The VM dies with a monitor that has come to a bad end. */
  killVm(): void {
    void this.#qemu?.kill();
  }

  /** The host goes down: the box is stopped as `stop` would, so that its disk is in order. */
  shutDown(): void {
    const { stop_signal, stop_timeout } = this.#request.record;
    const signals: Partial<Record<string, number>> = constants.signals;
    this.#workload?.signal(signals[stop_signal] ?? SIGTERM);
    this.#killAfter(Math.max(stop_timeout, 0) * 1000);
  }

  /** A message from a client that has made its request. */
  message(message: Message, client: Client): void {
    const isStdin = message.type === MessageType.stdin || message.type === MessageType.stdinEof;
    if (isStdin && !client.stdin) return;
    // Docker's StdinOnce: input ends with the client that started the box. Another one only writes no more.
    if (message.type === MessageType.stdinEof && client !== this.#launcher) return;
    if (this.#workload === undefined) {
      // The VM is still starting: a few messages at most, then the client waits.
      this.#early.push(message.raw);
      client.hold(true);
      return;
    }
    this.#workload.send(message.raw);
    if (isStdin && this.#workload.holdsInput(client)) client.hold(true);
  }

  closed(client: Client): void {
    this.#clients.delete(client);
    this.#waiting.delete(client);
    this.#hub.remove(client);
    if (client !== this.#launcher) return;
    if (this.#starting) this.#abort.abort(new A3sError('io', 'the command that started the box went away'));
    // Docker's StdinOnce: input ends with the client that brought it.
    else if (client.stdin && !this.#request.record.tty)
      this.#workload?.send(encodeMessage(MessageType.stdinEof));
  }

  attach(client: Client, request: AttachRequest): void {
    this.#adopt(client, request);
    client.sendJson(MessageType.started, {});
    this.#workload?.resize(request.rows, request.cols);
  }

  signal(number: number): void {
    this.#workload?.signal(number);
  }

  end(client: Client, signal: number | null, graceMs: number | null): void {
    this.#waiting.add(client);
    if (signal !== null) this.#workload?.signal(signal);
    if (graceMs !== null) this.#killAfter(graceMs);
  }

  stopRequested(): void {
    this.#ledger.stoppedByUser = true;
  }

  #boot(context: RuntimeContext): Promise<BootedBox> {
    return bootBox(context, {
      record: this.#request.record,
      rootfs: this.#request.rootfs,
      signal: this.#abort.signal,
      spawned: (qemu) => {
        this.#qemu = qemu;
        // Too late for a box that has been given up.
        if (this.#settled || this.#abort.signal.aborted) void qemu.kill();
      },
      lost: (error) => {
        if (this.#workload?.ended !== true) this.#abort.abort(error);
      },
      diskFull: () =>
        this.#abort.abort(
          new A3sError('io', "the host's disk is full: the box could not write and was ended"),
        ),
    });
  }

  #runWorkload(context: RuntimeContext, box: BootedBox): Promise<ProcessResult> {
    const { record, rows, cols } = this.#request;
    trace('monitor: agent ready');
    const workload = new Workload(box, record, { rows, cols }, this.#hub);
    this.#workload = workload;
    for (const message of this.#early) workload.send(message);
    this.#early = [];
    for (const client of this.#clients) client.hold(false);
    // After the request is sent: the guest is at work meanwhile.
    const failed = (error: Error): void => this.#abort.abort(error);
    this.#servers.push(
      bridgeSocket(box.link, this.#paths.execSocket, AgentPort.exec, failed),
      bridgeSocket(box.link, this.#paths.agentSocket, AgentPort.health, failed),
      controlServer(this, this.#paths.controlSocket, failed),
    );
    this.#recorded = this.#onceStarted(context, workload, box);
    return workload.result;
  }

  /** Writes the start down and makes the image template beside the box. A box whose start cannot be recorded must not run. */
  async #onceStarted(context: RuntimeContext, workload: Workload, box: BootedBox): Promise<void> {
    try {
      const started = await this.#recordStart(workload, box);
      if (started && !box.fromImageTemplate) this.#template = this.#makeTemplate(context, box);
    } catch (error) {
      this.#abort.abort(error);
    }
  }

  /** Waits for the start and writes it down; false when there was none. */
  async #recordStart(workload: Workload, box: BootedBox): Promise<boolean> {
    const limit = startLimitMs(box.mounts.some((mount) => mount.type === 'share' && mount.fill === true));
    const late = new A3sError('boot_failed', `the guest did not start the workload within ${limit} ms`, {
      stage: 'start',
    });
    const timer = setTimeout(() => this.#abort.abort(late), limit);
    try {
      await workload.started;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
    trace('monitor: started');
    this.#starting = false;
    await this.#ledger.running(box.network.ports);
    this.#launcher?.sendJson(MessageType.started, {});
    return true;
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
    if (this.#killedOnRequest && !this.#starting) return killed;
    const message = error instanceof Error ? error.message : String(error);
    note(message);
    // The workload ran and its VM is gone: to whoever waits, it was killed.
    if (!this.#starting) return { ...killed, error: { code: 'io', stage: 'vm', message } };
    const code = error instanceof A3sError ? error.code : 'io';
    const stage = error instanceof A3sError ? (error.stage ?? '') : '';
    const hint = error instanceof A3sError ? error.hint : undefined;
    return { exitCode: 125, error: { code, stage, message, ...(hint === undefined ? {} : { hint }) } };
  }

  async #settle(result: ProcessResult): Promise<void> {
    trace('monitor: result');
    this.#settled = true;
    // First, because it also ends the wait for a start that never comes.
    const gone = this.#qemu?.kill();
    for (const server of this.#servers) server.close();
    await this.#recorded;
    const over = Promise.all([this.#log.close(), gone]);
    // A box that stays must not be said to have stopped while its VM holds its disk; one that goes is removed meanwhile.
    if (!this.#request.record.auto_remove) await over;
    rmSync(join(this.#paths.dir, 'sockets'), { recursive: true, force: true });
    await Promise.all([over, this.#recordEnd(result)]);
    trace('monitor: settled');
    const last = encodeJsonMessage(MessageType.result, {
      exit_code: result.exitCode,
      signal: result.signal,
      oom_killed: result.oomKilled,
      error: result.error,
    });
    const listeners = new Set([...this.#clients, ...this.#waiting]);
    await Promise.all([...listeners].map((client) => client.finish(last)));
  }

  /** A full disk may refuse the record's last state; whoever waits must still hear the result. The next command sets the record right. */
  async #recordEnd(result: ProcessResult): Promise<void> {
    try {
      await this.#ledger.ended(result, this.#starting);
    } catch (error) {
      note(`the end could not be recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #makeTemplate(context: RuntimeContext, { shape }: BootedBox): Promise<void> {
    try {
      const { record, rootfs } = this.#request;
      const [program = 'sh'] = [...record.entrypoint, ...record.cmd];
      await ensureImageTemplate(context, shape, rootfs, [program, 'sh']);
    } catch (error) {
      note(`no image template: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #adopt(client: Client, wants: { output: boolean; stdin: boolean }): void {
    client.output = wants.output;
    client.stdin = wants.stdin;
    this.#clients.add(client);
    if (wants.output) this.#hub.add(client);
  }

  /** KILL after the grace, and the VM itself if even that does not end it. */
  #killAfter(graceMs: number): void {
    const kill = (): void => {
      this.#workload?.signal(SIGKILL);
      const last = setTimeout(() => {
        this.#killedOnRequest = true;
        void this.#qemu?.kill();
      }, KILL_GRACE_MS);
      last.unref();
    };
    setTimeout(kill, graceMs).unref();
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
