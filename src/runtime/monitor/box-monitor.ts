/** The monitor of one box: owns its VM from the first byte to the last, and its record while it runs. */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import { boxPaths, layoutOf, type BoxPaths } from '../../state/layout.ts';
import { AgentPort } from '../agent-link.ts';
import { bootTryMs } from '../deadlines.ts';
import { guestText } from '../protocol/guest-text.ts';
import { MessageType, encodeJsonMessage, encodeMessage, type Message } from '../protocol/messages.ts';
import type { QemuProcess } from '../qemu/process.ts';
import type { ProcessResult } from '../process-session.ts';
import { openContext, type RuntimeContext } from '../templates/context.ts';
import { ensureImageTemplate } from '../templates/ensure.ts';
import { shapeOf } from '../templates/shape.ts';
import { bootBox, type BootedBox } from './boot.ts';
import { bridgeSocket, listenPrivately } from './bridge.ts';
import { Client } from './client.ts';
import { JsonLog } from './json-log.ts';
import { note } from './monitor-log.ts';
import { OutputHub } from './output-hub.ts';
import { BoxLedger } from './ledger.ts';
import { parseControl, type LaunchRequest } from './requests.ts';
import { Workload } from './workload.ts';
import { trace } from '../../trace.ts';

const SIGKILL = 9;
/** After KILL inside, the guest gets this long to report the end before the VM itself is killed. */
const KILL_GRACE_MS = 5_000;
const LAST_MESSAGE_MS = 5_000;

export class BoxMonitor {
  readonly #request: LaunchRequest;
  readonly #paths: BoxPaths;
  readonly #ledger: BoxLedger;
  readonly #log: JsonLog;
  readonly #hub: OutputHub;
  readonly #clients = new Set<Client>();
  readonly #waiting = new Set<Client>();
  readonly #servers: Server[] = [];
  #qemu: QemuProcess | undefined;
  #workload: Workload | undefined;
  #launcher: Client | undefined;
  /** Input that came before the workload. */
  #early: Buffer[] = [];
  #starting = true;
  /** The write of the running state, which the final state must follow. */
  #recorded: Promise<void> = Promise.resolve();
  /** Fails the run from outside: the VM died, the guest misbehaved, the launching command went away. */
  #fail: (error: Error) => void = () => {};

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
    let context: RuntimeContext | undefined;
    let box: BootedBox | undefined;
    let result: ProcessResult;
    try {
      const failed = new Promise<never>((_, reject) => {
        this.#fail = reject;
      });
      failed.catch(() => {});
      trace('monitor: request');
      context = openContext(layoutOf(this.#request.home));
      box = await Promise.race([this.#boot(context), failed]);
      result = await Promise.race([this.#runWorkload(box), failed]);
    } catch (error) {
      result = this.#failure(await this.#explain(error));
    }
    await this.#settle(result);
    if (context !== undefined && box !== undefined && !box.fromImageTemplate)
      await this.#makeTemplate(context);
  }

  /** A message from a client that has made its request. */
  input(message: Message, client: Client): void {
    const isStdin = message.type === MessageType.stdin || message.type === MessageType.stdinEof;
    if (isStdin && !client.stdin) return;
    if (this.#workload === undefined) {
      // The VM is still starting: a few messages at most, then the client waits.
      this.#early.push(message.raw);
      client.hold(true);
      return;
    }
    this.#workload.send(message.raw);
    if (isStdin && this.#workload.holdsInput(client)) client.hold(true);
  }

  clientClosed(client: Client): void {
    this.#clients.delete(client);
    this.#waiting.delete(client);
    this.#hub.remove(client);
    if (client !== this.#launcher) return;
    if (this.#starting) this.#fail(new A3sError('io', 'the command that started the box went away'));
    // Docker's StdinOnce: input ends with the client that brought it.
    else if (client.stdin && !this.#request.record.tty)
      this.#workload?.send(encodeMessage(MessageType.stdinEof));
  }

  async #boot(context: RuntimeContext): Promise<BootedBox> {
    return bootBox(context, {
      record: this.#request.record,
      rootfs: this.#request.rootfs,
      spawned: (qemu) => {
        this.#qemu = qemu;
      },
      lost: (error) => {
        if (this.#workload?.ended !== true) this.#fail(error);
      },
    });
  }

  async #runWorkload(box: BootedBox): Promise<ProcessResult> {
    this.#servers.push(
      bridgeSocket(box.link, this.#paths.execSocket, AgentPort.exec),
      bridgeSocket(box.link, this.#paths.agentSocket, AgentPort.health),
      this.#controlServer(),
    );
    const { record, rows, cols } = this.#request;
    trace('monitor: agent ready');
    this.#workload = new Workload(box, record, { rows, cols }, this.#hub);
    for (const message of this.#early) this.#workload.send(message);
    this.#early = [];
    for (const client of this.#clients) client.hold(false);
    this.#recorded = this.#recordStart(this.#workload, box);
    return this.#workload.result;
  }

  async #recordStart(workload: Workload, box: BootedBox): Promise<void> {
    const limit = bootTryMs();
    const late = (): void =>
      this.#fail(
        new A3sError('boot_failed', `the guest did not start the workload within ${limit} ms`, {
          stage: 'start',
        }),
      );
    const timer = setTimeout(late, limit);
    try {
      await workload.started;
    } catch {
      return;
    } finally {
      clearTimeout(timer);
    }
    trace('monitor: started');
    this.#starting = false;
    await this.#ledger.running(box.network.ports);
    this.#launcher?.sendJson(MessageType.started, {});
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
    const message = error instanceof Error ? error.message : String(error);
    note(message);
    if (!this.#starting) {
      // The workload ran and its VM is gone: to whoever waits, it was killed.
      return { exitCode: 128 + SIGKILL, signal: SIGKILL, error: { code: 'io', stage: 'vm', message } };
    }
    const code = error instanceof A3sError ? error.code : 'io';
    const stage = error instanceof A3sError ? (error.stage ?? '') : '';
    const hint = error instanceof A3sError ? error.hint : undefined;
    return { exitCode: 125, error: { code, stage, message, ...(hint === undefined ? {} : { hint }) } };
  }

  async #settle(result: ProcessResult): Promise<void> {
    trace('monitor: result');
    // First, because it also ends the wait for a start that never comes.
    const gone = this.#qemu?.kill();
    for (const server of this.#servers) server.close();
    await this.#recorded;
    const over = Promise.all([this.#log.close(), gone]);
    // A box that stays must not be said to have stopped while its VM holds its disk; one that goes is removed meanwhile.
    if (!this.#request.record.auto_remove) await over;
    rmSync(join(this.#paths.dir, 'sockets'), { recursive: true, force: true });
    await Promise.all([over, this.#ledger.ended(result, this.#starting)]);
    trace('monitor: settled');
    const last = encodeJsonMessage(MessageType.result, {
      exit_code: result.exitCode,
      signal: result.signal,
      oom_killed: result.oomKilled,
      error: result.error,
    });
    const listeners = new Set([...this.#clients, ...this.#waiting]);
    await Promise.all([...listeners].map((client) => client.finish(last, LAST_MESSAGE_MS)));
  }

  async #makeTemplate(context: RuntimeContext): Promise<void> {
    try {
      const { record, rootfs } = this.#request;
      const [program = 'sh'] = [...record.entrypoint, ...record.cmd];
      await ensureImageTemplate(context, shapeOf(record), rootfs, [program, 'sh']);
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

  #controlServer(): Server {
    const server = createServer((socket) => this.#control(socket));
    listenPrivately(server, this.#paths.controlSocket);
    return server;
  }

  #control(socket: Socket): void {
    // The client lives by its socket's events.
    void new Client(socket, {
      request: (payload, client) => {
        const request = parseControl(payload);
        if (request.op === 'attach') {
          this.#adopt(client, request);
          client.sendJson(MessageType.started, {});
          this.#workload?.resize(request.rows, request.cols);
        } else if (request.op === 'signal') {
          this.#workload?.signal(request.number);
          if (request.number === SIGKILL) this.#killLater(client, 0);
          else void client.finish(encodeJsonMessage(MessageType.result, { exit_code: 0 }), LAST_MESSAGE_MS);
        } else {
          this.#ledger.stoppedByUser = true;
          this.#workload?.signal(request.signal);
          if (request.timeoutSeconds >= 0) this.#killLater(client, request.timeoutSeconds * 1000);
          else this.#waiting.add(client);
        }
      },
      message: (message, client) => this.input(message, client),
      closed: (client) => this.clientClosed(client),
    });
  }

  /** KILL after the grace, and the VM itself if even that does not end it. The client hears the RESULT. */
  #killLater(client: Client, graceMs: number): void {
    this.#waiting.add(client);
    const timer = setTimeout(() => {
      this.#workload?.signal(SIGKILL);
      const last = setTimeout(() => void this.#qemu?.kill(), KILL_GRACE_MS);
      last.unref();
    }, graceMs);
    timer.unref();
  }
}
