/** The monitor of one box: owns its VM from the first byte to the last, and its record while it runs. */
import { mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import { boxPaths, layoutOf, type BoxPaths, type Layout } from '../../state/layout.ts';
import type { BoxRecord } from '../../state/record.ts';
import { stopSignalOf } from '../../state/signals.ts';
import { MessageType, encodeMessage, type Message } from '../protocol/messages.ts';
import type { ExecSpec } from '../exec-client.ts';
import type { ProcessResult } from '../process-session.ts';
import { openContext } from '../templates/context.ts';
import { ensureImageTemplate } from '../templates/ensure.ts';
import { Audience } from './audience.ts';
import { BackOff } from './back-off.ts';
import type { Client } from './client.ts';
import { controlServer, refusal, type ControlledBox } from './control.ts';
import type { HealthMonitor } from './health.ts';
import { Holds } from './holds.ts';
import { note } from './monitor-log.ts';
import { BoxLedger, hasHealthCheck } from './ledger.ts';
import type { AttachRequest, BoxLimits, LaunchRequest } from './requests.ts';
import { VmRun, type GivenVm, type RunOptions, type StartedBox } from './vm-run.ts';
import { trace } from '../../trace.ts';

const SIGKILL = 9;
/** With these a caller gives up what it waits for. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** What a monitor needs of a life of its box's VM. */
export type BoxRun = Pick<VmRun, keyof VmRun>;

export class BoxMonitor implements ControlledBox {
  readonly #request: LaunchRequest;
  readonly #layout: Layout;
  readonly #paths: BoxPaths;
  readonly #ledger: BoxLedger;
  readonly #backOff = new BackOff();
  readonly #audience = new Audience();
  readonly #holds = new Holds();
  readonly #makeRun: (options: RunOptions) => BoxRun;
  #run: BoxRun;
  #server: Server | undefined;
  /** It is decided that there is no other run. */
  #isEnding = false;
  /** The record says that the box is idle, or is about to: what is in the directory of its sockets may be another monitor's. */
  #isClosed = false;
  #health: HealthMonitor | undefined;
  #launcher: Client | undefined;
  /** The first run is the launching command's, the others are the policy's or a user's. */
  #startedBy: 'policy' | 'user';
  #isFirst = true;
  /** How long the next run is waited for, and what ends that wait early. */
  #delayMs = 0;
  #isWaiting = false;
  #wake: () => void = () => {};
  /** The host goes down. */
  #leaving = false;
  /** The image template that is being made beside the box. */
  #template: Promise<void> = Promise.resolve();

  /** @param given a VM for the first run that is up already, or on its way */
  constructor(
    request: LaunchRequest,
    given: GivenVm = {},
    makeRun: (options: RunOptions) => BoxRun = (options) => new VmRun(options),
  ) {
    this.#request = request;
    this.#makeRun = makeRun;
    this.#layout = layoutOf(request.home);
    this.#paths = boxPaths(request.record.box_dir);
    this.#ledger = new BoxLedger(this.#layout, request.record);
    this.#startedBy = request.record.status === 'restarting' ? 'policy' : 'user';
    mkdirSync(join(this.#paths.dir, 'sockets'), { recursive: true, mode: 0o700 });
    this.#run = this.#newRun(request.record, given);
  }

  /** Runs the box to its end. The launching command hears STARTED or why not; everyone attached hears the RESULT. */
  async run(launcher: Client): Promise<void> {
    this.#launcher = launcher;
    this.#adopt(launcher, this.#request);
    trace('monitor: request taken');
    for (;;) {
      const result = await this.#run.live();
      if (!(await this.#settle(result))) break;
      if (await this.#awaitRestart()) continue;
      await this.#giveUp(result);
      break;
    }
    await this.#template;
  }

  /** The VM dies with a monitor that has come to a bad end. */
  killVm(): void {
    this.#run.killVm();
  }

  /** The host goes down: the box is stopped as `stop` would, so that its disk is in order. Its policy holds for the next boot. */
  shutDown(): void {
    this.#leaving = true;
    const { record } = this.#request;
    this.#bringDown(stopSignalOf(record), Math.max(record.stop_timeout, 0) * 1000);
  }

  /** A message from a client that has made its request. */
  message(message: Message, client: Client): void {
    const isStdin = message.type === MessageType.stdin || message.type === MessageType.stdinEof;
    if (isStdin && !client.stdin) return;
    const tooEarly = client === this.#launcher && this.#isFirst && !this.#run.hasStarted;
    if (tooEarly && message.type === MessageType.signal && this.#interrupt(message.payload[0] ?? 0)) return;
    // Docker's StdinOnce: input ends with the client that started the box. Another one only writes no more.
    if (message.type === MessageType.stdinEof && client !== this.#launcher) return;
    this.#run.send(message, client, isStdin);
  }

  /** Ends a start that its caller no longer wants; false for a signal that says nothing of the kind. */
  #interrupt(signal: number): boolean {
    const name = ENDING_SIGNALS.find((ending) => constants.signals[ending] === signal);
    if (name === undefined) return false;
    const status = { exitStatus: 128 + signal };
    this.#run.fail(new A3sError('interrupted', `${name} came before the box had started`, status));
    return true;
  }

  closed(client: Client): void {
    this.#audience.leave(client);
    this.#holds.leave(client);
    this.#run.hub.remove(client);
    if (client !== this.#launcher || !this.#isFirst) return;
    if (!this.#run.hasStarted)
      this.#run.fail(new A3sError('io', 'the command that started the box went away'));
    // Docker's StdinOnce: input ends with the client that brought it.
    else if (client.stdin && !this.#request.record.tty)
      this.#run.sendRaw(encodeMessage(MessageType.stdinEof));
  }

  attach(client: Client, request: AttachRequest): void {
    if (this.#audience.isOver) throw this.#notRunning();
    this.#adopt(client, request);
    client.sendJson(MessageType.started, {});
    this.#run.resize(request.rows, request.cols);
  }

  signal(number: number): void {
    if (number !== stopSignalOf(this.#request.record)) this.#run.signal(number);
    else {
      this.#ledger.stoppedByUser = true;
      this.#bringDown(number, null);
    }
  }

  end(client: Client, signal: number | null, graceMs: number | null): void {
    this.#audience.wait(client);
    this.#ledger.stoppedByUser = true;
    this.#ledger.stopAsked ||= signal !== null;
    this.#bringDown(signal, graceMs);
  }

  restart(client: Client, signal: number, graceMs: number | null): void {
    // The box has no other run to come: whoever asks is told to start it.
    if (this.#isEnding) throw this.#notRunning();
    this.#audience.restart(client);
    this.#ledger.stoppedByUser = false;
    // The one that is due anyway becomes the user's.
    if (this.#run.hasStarted) this.#ledger.stopAsked = true;
    else this.#startedBy = 'user';
    this.#bringDown(signal, graceMs);
  }

  wait(client: Client): void {
    this.#audience.wait(client);
  }

  hold(client: Client): void {
    // Its files are those of a VM, or about to be.
    if (!this.#isWaiting) throw this.#notRunning();
    this.#holds.add(client);
  }

  async pause(on: boolean): Promise<void> {
    if (!this.#run.isLive) throw this.#notRunning();
    // It would not die.
    if (on && this.#run.isDying) throw this.#notRunning();
    const { id } = this.#request.record;
    // Another command was quicker.
    if (on && this.#run.isPaused) throw new A3sError('box_paused', `Container ${id} is already paused`);
    if (!on && !this.#run.isPaused) throw new A3sError('invalid_config', `Container ${id} is not paused`);
    this.#run.pause(on);
    this.#health?.pause(on);
    await this.#ledger.paused(on);
  }

  async limit(limits: BoxLimits): Promise<void> {
    if (!this.#run.isLive) throw this.#notRunning();
    // A VM that stands still does not answer.
    const { name } = this.#request.record;
    if (this.#run.isPaused) throw new A3sError('box_paused', `container ${name} is paused, unpause it first`);
    await this.#run.limit(limits);
  }

  async exec(spec: ExecSpec): Promise<void> {
    if (!this.#run.isLive) throw this.#notRunning();
    const { name } = this.#request.record;
    if (this.#run.isPaused)
      throw new A3sError('box_paused', `Container ${name} is paused, unpause the container before exec`);
    // Few boxes are asked for it.
    const { execDetached } = await import('./detached-exec.ts');
    await execDetached(this.#layout, this.#request.record, spec);
  }

  #newRun(record: BoxRecord, given: GivenVm = {}): BoxRun {
    const { rootfs, rows, cols } = this.#request;
    return this.#makeRun({
      layout: this.#layout,
      record,
      paths: this.#paths,
      rootfs,
      size: { rows, cols },
      asked: () => {
        this.#server ??= controlServer(this, this.#paths.controlSocket, (error) => this.#run.fail(error));
      },
      started: (box) => this.#onStarted(record, box),
      given,
    });
  }

  async #onStarted(record: BoxRecord, box: StartedBox): Promise<void> {
    // While that is written down the workload can be asked to end, or to run again, as at any time later.
    this.#audience.begun();
    const toldToEnd = this.#ledger.stoppedByUser || this.#leaving;
    const isStopped = await this.#ledger.running(box.network.ports, this.#startedBy);
    if (this.#isFirst) {
      this.#launcher?.sendJson(MessageType.started, {});
      if (!box.fromImageTemplate) this.#template = this.#makeTemplate(box);
    }
    this.#audience.restarted();
    // Told to end before it had begun.
    if (toldToEnd || isStopped) this.#run.signal(SIGKILL);
    if (hasHealthCheck(record)) await this.#watchHealth(record);
  }

  async #watchHealth(record: BoxRecord): Promise<void> {
    // Most boxes have no check.
    const { HealthMonitor } = await import('./health.ts');
    if (!this.#run.isLive) return;
    this.#health = new HealthMonitor(record, (status) => void this.#recorded(this.#ledger.health(status)));
  }

  /**
   * Writes down how the run ended and tells everyone.
   * @returns whether there is to be another.
   */
  async #settle(result: ProcessResult): Promise<boolean> {
    trace('guest: workload');
    const run = this.#run;
    const { hasStarted } = run;
    const { auto_remove } = this.#request.record;
    const asked = hasStarted && this.#audience.wantsRestart;
    this.#health?.stop();
    this.#health = undefined;
    if (asked && auto_remove && result.error === undefined) await run.sync();
    const { released } = await run.end();
    // A box that stays must not be said to have stopped while its VM holds its disk; one that goes is removed meanwhile.
    if (asked || !auto_remove) await released;
    const again = asked ? 'asked' : hasStarted || !this.#isFirst ? 'policy' : 'never';
    const ended = this.#ledger.ended({
      result,
      hasStarted,
      again,
      leaving: this.#leaving,
      idle: () => this.#closeSockets(),
    });
    const [next] = await Promise.all([this.#recorded(ended), released]);
    trace('monitor: VM ended and record settled');
    this.#answerRestarters(next !== null, asked, hasStarted);
    // Who asked for the end while the restart was being written down hears of it once it has been called off.
    if (!next) {
      this.#isEnding = true;
      const told = this.#audience.tell(result, true);
      this.#closeSockets();
      await told;
      return false;
    }
    if (!this.#ledger.stoppedByUser) void this.#audience.tell(result, false);
    const byUser = asked || this.#audience.wantsRestart;
    if (byUser) this.#backOff.reset();
    this.#delayMs = byUser ? 0 : this.#backOff.next(run.age);
    this.#startedBy = byUser ? 'user' : 'policy';
    this.#isFirst = false;
    this.#run = this.#newRun(next);
    return true;
  }

  /**
   * Who asked for a restart hears of it with the next run, or that there is none. One who asked when the workload had ended already,
   * and was too late to be reckoned with, is told to start the box itself.
   */
  #answerRestarters(again: boolean, asked: boolean, hasStarted: boolean): void {
    const late = hasStarted && !asked;
    if (again && (asked || late)) return;
    if (late) this.#audience.refuseRestarters(refusal(this.#notRunning()));
    else this.#audience.giveUpRestarters();
  }

  /** The restart that was due is not to be. */
  async #giveUp(result: ProcessResult): Promise<void> {
    this.#isEnding = true;
    this.#audience.giveUpRestarters();
    await this.#recorded(this.#ledger.givenUp(this.#leaving, () => this.#closeSockets()));
    await this.#audience.tell(result, true);
  }

  #notRunning(): A3sError {
    return new A3sError('box_not_running', `container ${this.#request.record.name} is not running`);
  }

  /** Waits until the next run is due; false when it is not to be. */
  async #awaitRestart(): Promise<boolean> {
    const wanted = (): boolean => !this.#ledger.stoppedByUser && !this.#leaving;
    if (wanted()) {
      this.#isWaiting = true;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#delayMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#isWaiting = false;
      this.#wake = () => {};
      await this.#holds.over();
    }
    return wanted();
  }

  /** A full disk may refuse a change; whoever waits must still hear the result. The next command sets the record right. */
  async #recorded<T>(change: Promise<T>): Promise<T | null> {
    try {
      return await change;
    } catch (error) {
      note(`the state could not be recorded: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }

  /** Signal now, KILL after the grace; a paused box runs again to hear it, one that waits for its restart needs none. */
  #bringDown(signal: number | null, graceMs: number | null): void {
    this.#wake();
    this.#holds.endAfter(graceMs);
    if (this.#run.isPaused) void this.#recorded(this.pause(false));
    if (!this.#run.hasStarted) return;
    if (signal !== null) this.#run.signal(signal);
    const run = this.#run;
    const killing = (): void => {
      // Somebody may have paused it in its grace: it would not die.
      if (run.isPaused) void this.#recorded(this.pause(false));
      // A KILL that was asked for has been told of by who asked.
      if (signal !== null) this.#ledger.tellKill();
    };
    if (graceMs !== null) run.killAfter(graceMs, killing);
  }

  #closeSockets(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#server?.close();
    rmSync(join(this.#paths.dir, 'sockets'), { recursive: true, force: true });
  }

  async #makeTemplate({ shape }: StartedBox): Promise<void> {
    try {
      const { record, rootfs } = this.#request;
      const [program = 'sh'] = [...record.entrypoint, ...record.cmd];
      await ensureImageTemplate(openContext(this.#layout), shape, rootfs, [program, 'sh']);
    } catch (error) {
      note(`no image template: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #adopt(client: Client, wants: { output: boolean; stdin: boolean }): void {
    client.output = wants.output;
    client.stdin = wants.stdin;
    this.#audience.attach(client);
    if (wants.output) this.#run.hub.add(client);
  }
}
