/**
 * The keeper of warm boxes: a process that is there while there is a pool. It makes boxes and lets go of them; it neither gives
 * them to commands nor knows what becomes of them. When it dies, its boxes hear of it by their connections, and end.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

import { A3sError } from '../../errors.ts';
import { listenPrivately } from '../../runtime/monitor/bridge.ts';
import { Client } from '../../runtime/monitor/client.ts';
import { refusal } from '../../runtime/monitor/control.ts';
import { MessageType, encodeJsonMessage } from '../../runtime/protocol/messages.ts';
import { parseObject } from '../../runtime/protocol/result.ts';
import { productMark } from '../../runtime/warm/fitness.ts';
import { keeperSocket } from '../../state/layout.ts';
import type { Engine } from '../types.ts';
import { poolsNamed } from './name.ts';
import { WarmPool } from './pool.ts';
import { parseKeeperRequest, type KeeperRequest, type PoolSpec, type PoolStatus } from './spec.ts';

/** How often it looks whether images, templates and the program are still the same: a few system calls. */
const CHECK_MS = 2000;
/** A keeper without a pool waits so long for the command that has started it. */
const FIRST_REQUEST_MS = 10_000;

export class Keeper {
  readonly #engine: Engine;
  readonly #pools = new Set<WarmPool>();
  readonly #product = productMark();
  readonly #over = Promise.withResolvers<void>();
  /** One request or check after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #server: Server | undefined;
  #until = performance.now() + FIRST_REQUEST_MS;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Listens; `listening` is called once commands can reach it. Resolves when nothing is left to keep, or `stop` was called. */
  async keep(listening: () => void): Promise<void> {
    const { layout } = this.#engine;
    mkdirSync(layout.poolDir, { recursive: true, mode: 0o700 });
    const path = keeperSocket(layout);
    // Whoever starts a keeper has made sure that no other one listens there.
    rmSync(path, { force: true });
    const server = createServer((socket) => this.#serve(new Client(socket, this.#events)));
    this.#server = server;
    listenPrivately(server, path, this.#over.reject);
    server.once('listening', listening);
    const timer = setInterval(() => void this.#inTurn(() => this.#check()), CHECK_MS);
    try {
      await this.#over.promise;
    } finally {
      clearInterval(timer);
      server.close();
      await Promise.all([...this.#pools].map((pool) => pool.end()));
    }
  }

  /** Ends every pool. */
  stop(): void {
    this.#over.resolve();
  }

  readonly #events = {
    request: (payload: Buffer, client: Client): void => {
      const answer = this.#inTurn(async () =>
        this.#answer(parseKeeperRequest(parseObject(payload, 'request'))),
      );
      void answer.then(
        (pools) => client.finish(encodeJsonMessage(MessageType.result, { exit_code: 0, pools })),
        (error: unknown) => client.finish(refusal(error)),
      );
    },
    message: (): void => {},
    closed: (): void => {},
  };

  /** A client lives by its socket's events. */
  #serve(_client: Client): void {
    this.#until = Math.max(this.#until, performance.now() + CHECK_MS);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #answer(request: KeeperRequest): Promise<PoolStatus[]> {
    if (request.op === 'start') await this.#start(request.spec, request.atLeast);
    if (request.op === 'stop') await this.#stop(request.image);
    return [...this.#pools].map((pool) => pool.status);
  }

  async #start(spec: PoolSpec, atLeast: boolean): Promise<void> {
    const pool = [...this.#pools].find((each) => each.isFor(spec));
    if (pool === undefined) this.#pools.add(await WarmPool.start(this.#engine, spec));
    else if (!atLeast || pool.status.size < spec.size) pool.change(spec);
  }

  async #stop(image: string | null): Promise<void> {
    const pools = [...this.#pools];
    const names = pools.map((pool) => pool.status.image);
    const meant = image === null ? names : poolsNamed(image, names);
    const chosen = pools.filter((pool) => meant.includes(pool.status.image));
    if (image !== null && chosen.length === 0) {
      throw new A3sError('invalid_config', `there is no pool of ${image}`, {
        hint: 'see: a3s-box pool status',
      });
    }
    await Promise.all(chosen.map((pool) => this.#end(pool)));
    if (this.#pools.size === 0) this.#until = 0;
    this.#endIfIdle();
  }

  async #check(): Promise<void> {
    // The code that runs here is not the product's any more.
    if (productMark() !== this.#product) {
      this.#over.resolve();
      return;
    }
    for (const pool of this.#pools) {
      const lives = !pool.isIdle && (await pool.check().then(() => true, isTransient));
      if (!lives) await this.#end(pool);
    }
    this.#endIfIdle();
  }

  async #end(pool: WarmPool): Promise<void> {
    this.#pools.delete(pool);
    await pool.end();
  }

  #endIfIdle(): void {
    if (this.#pools.size > 0 || performance.now() < this.#until) return;
    // No one is to find a keeper that is about to go; who asks just now is still answered.
    this.#server?.close();
    setImmediate(() => this.#over.resolve());
  }
}

/** An image that is gone is gone; a file that cannot be read now may be there at the next check. */
function isTransient(error: unknown): boolean {
  return !(error instanceof A3sError) || error.code !== 'no_such_image';
}
