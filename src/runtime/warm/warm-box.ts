/**
 * A monitor that waits for its box. It offers itself once its VM is warm, becomes the monitor of the first command that connects,
 * and ends, with all it has made, when its keeper lets go of it, its VM is lost, or that command goes away without a box.
 *
 * The one who decides who gets the box is this process, which takes one connection and refuses the others: no box is given twice,
 * and there is no moment at which a crash leaves it half taken.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';

import { boxDirectory, boxPaths, layoutOf, type BoxPaths, type Layout } from '../../state/layout.ts';
import { makeOffer, markWarm, unmarkWarm, withdrawOffer } from '../../state/warm-boxes.ts';
import { listenPrivately } from '../monitor/bridge.ts';
import { Client } from '../monitor/client.ts';
import type { BootRecord } from '../monitor/boot.ts';
import type { BoxMonitor } from '../monitor/box-monitor.ts';
import { note } from '../monitor/monitor-log.ts';
import { MessageType, encodeJsonMessage } from '../protocol/messages.ts';
import type { QemuProcess } from '../qemu/process.ts';
import { openContext } from '../templates/context.ts';
import type { WarmRequest } from './request.ts';
import { TAKEN } from './taken.ts';
import { WarmVm } from './warm-vm.ts';

/** From taking the box to the launch: the time that a command may wait for the state's lock, and more. */
const LAUNCH_MS = 60_000;

interface Launched {
  /** The box's life. */
  over: Promise<void>;
}

/** Makes the box's monitor from the launch request and the VM. */
type MakeMonitor = (launch: Buffer, vm: WarmVm) => BoxMonitor;

export class WarmBox {
  readonly #request: WarmRequest;
  readonly #keeper: Socket;
  readonly #makeMonitor: MakeMonitor;
  readonly #layout: Layout;
  readonly #paths: BoxPaths;
  readonly #abort = new AbortController();
  readonly #taken = Promise.withResolvers<Socket>();
  #server: Server | undefined;
  #qemu: QemuProcess | undefined;
  #isTaken = false;
  #monitor: BoxMonitor | undefined;

  constructor(request: WarmRequest, keeper: Socket, makeMonitor: MakeMonitor) {
    this.#request = request;
    this.#keeper = keeper;
    this.#makeMonitor = makeMonitor;
    this.#layout = layoutOf(request.home);
    this.#paths = boxPaths(boxDirectory(this.#layout, request.shortId));
    this.#taken.promise.catch(() => {});
    markWarm(this.#paths.dir);
    keeper.resume();
    keeper.on('error', () => keeper.destroy());
    keeper.on('close', () => {
      if (!this.#isTaken) this.#giveUp(new Error('the keeper let go'));
    });
  }

  /** Waits, and runs the box to its end if there is one. */
  async live(): Promise<void> {
    let launched: Launched;
    try {
      const vm = await this.#warmUp();
      launched = await this.#launch(vm, await this.#taken.promise);
    } catch (error) {
      await this.#clearAway(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    await launched.over;
  }

  killVm(): void {
    void this.#qemu?.kill();
    this.#monitor?.killVm();
  }

  /** The host goes down. */
  shutDown(): void {
    if (this.#monitor === undefined) this.#giveUp(new Error('the host goes down'));
    else this.#monitor.shutDown();
  }

  async #warmUp(): Promise<WarmVm> {
    const { cpus, memoryMb, shortId, fitness } = this.#request;
    const record: BootRecord = {
      box_dir: this.#paths.dir,
      hostname: shortId,
      cpus,
      memory_mb: memoryMb,
      volumes: [],
      tmpfs: [],
      network: 'default',
      dns: [],
      port_map: [],
      has_writes: false,
    };
    const { signal } = this.#abort;
    const spawned = (qemu: QemuProcess): void => {
      this.#qemu = qemu;
      if (signal.aborted) void qemu.kill();
    };
    const vm = await WarmVm.boot(openContext(this.#layout), this.#request, { record, signal, spawned });
    signal.throwIfAborted();
    // A box that has been taken gets another VM if this one is lost: see WarmVm.adopt.
    vm.onLost((error) => {
      if (!this.#isTaken) this.#giveUp(error);
    });
    await this.#listen();
    makeOffer(this.#layout, { shortId, fitness });
    this.#keeper.write(encodeJsonMessage(MessageType.started, {}));
    return vm;
  }

  #listen(): Promise<void> {
    mkdirSync(dirname(this.#paths.warmSocket), { recursive: true, mode: 0o700 });
    const server = createServer((socket) => this.#offer(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('listening', resolve);
      listenPrivately(server, this.#paths.warmSocket, reject);
    });
  }

  /** The first one gets the box. */
  #offer(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.#isTaken || this.#abort.signal.aborted) {
      socket.destroy();
      return;
    }
    this.#isTaken = true;
    socket.write(TAKEN);
    this.#taken.resolve(socket);
    this.#withdraw();
    this.#keeper.end(encodeJsonMessage(MessageType.result, { exit_code: 0 }));
  }

  /** The box begins within the very event that brings its launch: what the command has sent behind that is the box's already. */
  async #launch(vm: WarmVm, connection: Socket): Promise<Launched> {
    const { promise, resolve, reject } = Promise.withResolvers<Launched>();
    const begin = (payload: Buffer, launcher: Client): void => {
      try {
        const monitor = this.#makeMonitor(payload, vm);
        this.#monitor = monitor;
        unmarkWarm(this.#paths.dir);
        resolve({ over: monitor.run(launcher) });
      } catch (error) {
        reject(error);
      }
    };
    // It lives by its connection's events.
    void new Client(connection, {
      request: begin,
      message: (message, client) => this.#monitor?.message(message, client),
      closed: (client) => {
        reject(new Error('the command went away without a box'));
        this.#monitor?.closed(client);
      },
    });
    this.#abort.signal.addEventListener('abort', () => reject(this.#abort.signal.reason), { once: true });
    const late = setTimeout(() => reject(new Error('no launch came')), LAUNCH_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
    }
  }

  #withdraw(): void {
    withdrawOffer(this.#layout, this.#request.shortId);
    this.#server?.close();
  }

  #giveUp(reason: Error): void {
    this.#abort.abort(reason);
    this.#taken.reject(reason);
    // Whatever is waited for is its answer.
    void this.#qemu?.kill();
  }

  /** The directory goes last: it is what a command finds the VM by if this process dies meanwhile. */
  async #clearAway(reason: Error): Promise<void> {
    note(`no box any more: ${reason.message}`);
    this.#abort.abort(reason);
    this.#withdraw();
    await this.#qemu?.kill();
    rmSync(this.#paths.dir, { recursive: true, force: true, maxRetries: 3 });
    if (this.#keeper.destroyed) return;
    const failure = { code: 'boot_failed', stage: 'warm', message: reason.message };
    await new Promise<void>((resolve) => {
      this.#keeper.once('close', () => resolve());
      this.#keeper.end(encodeJsonMessage(MessageType.result, { exit_code: 125, error: failure }), resolve);
    });
  }
}
