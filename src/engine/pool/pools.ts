/** Pools, as the verbs mean them: requests to the keeper, which is started on first need. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';

import { A3sError, hasErrno, isErrorCode } from '../../errors.ts';
import { ensureRootfs } from '../../images/rootfs.ts';
import { objectOr } from '../../json.ts';
import { packageRoot } from '../../package-root.ts';
import { MessageDecoder, MessageType, encodeJsonMessage } from '../../runtime/protocol/messages.ts';
import { parseObject, parseResult } from '../../runtime/protocol/result.ts';
import { keeperLock, keeperSocket } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { checkCpus, checkMemory } from '../limits.ts';
import { requireImage } from '../images.ts';
import type { Engine } from '../types.ts';
import { KEEPER_COMMAND } from './keeper-command.ts';
import { poolName, poolsNamed } from './name.ts';
import { checkPoolSize, parsePools, type KeeperRequest, type PoolSpec, type PoolStatus } from './spec.ts';

/** What the keeper says on its descriptor 3 once it listens. */
export const LISTENING = encodeJsonMessage(MessageType.result, { exit_code: 0 });

const KEEPER_FD = 3;
const MIB = 1024 * 1024;
/** Letting go of a box includes waiting for its end. */
const ANSWER_MS = 30_000;
/** Node loads in a tenth of a second. */
const START_MS = 15_000;
const LOCK_MS = 60_000;
const POLL_MS = 50;
/** The first box may have a template to wait for, which boots a kernel. */
const FULL_MS = 240_000;

export interface StartOptions extends PoolSpec {
  /** Leaves a pool alone that is as large already. */
  atLeast?: boolean;
}

/**
 * Starts a pool, or changes the size and time to live of the one there is.
 * @returns what the pool is now to be, under its own name.
 * @throws A3sError `no_such_image`, `image_broken`, `invalid_config`, `timeout`, `io`.
 */
export async function startPool(
  engine: Engine,
  { atLeast = false, ...asked }: StartOptions,
): Promise<PoolSpec> {
  checkPoolSize(asked.size);
  checkCpus(asked.cpus);
  checkMemory(asked.memoryMb * MIB);
  const image = await requireImage(engine, asked.image);
  const spec = { ...asked, image: poolName(asked.image, image) };
  // Here, where it can be told and waited for: a root filesystem takes its time.
  await ensureRootfs(engine.layout, image, engine.bundleDir);
  await withLock(
    keeperLock(engine.layout),
    async () => {
      const request: KeeperRequest = { op: 'start', spec, atLeast };
      if ((await ask(engine, request)) !== null) return;
      await startKeeper(engine);
      if ((await ask(engine, request)) === null)
        throw new A3sError('io', 'the keeper of the pool does not listen');
    },
    { timeoutMs: LOCK_MS },
  );
  return spec;
}

/**
 * Resolves when the pool that startPool has named has all its boxes.
 * @throws A3sError `boot_failed` with what keeps it from that, `timeout`.
 */
export async function waitUntilFull(engine: Engine, spec: PoolSpec): Promise<void> {
  const deadline = performance.now() + FULL_MS;
  for (;;) {
    const pools = await listPools(engine);
    const pool = pools.find(
      ({ image, cpus, memoryMb }) => image === spec.image && cpus === spec.cpus && memoryMb === spec.memoryMb,
    );
    if (pool === undefined) throw new A3sError('boot_failed', 'the pool has ended');
    if (pool.problem !== '') throw new A3sError('boot_failed', pool.problem);
    if (pool.members.filter(({ state }) => state === 'ready').length >= pool.size) return;
    if (performance.now() > deadline) throw new A3sError('timeout', 'the pool is not full yet');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Ends the pool of an image, or all of them (null); resolves when their boxes are gone.
 * @throws A3sError `invalid_config` when there is none of this image, `usage` when it is no name of one, `timeout`, `io`.
 */
export async function stopPools(engine: Engine, image: string | null): Promise<void> {
  // What no pool can be called is refused alike with and without a keeper.
  if (image !== null) poolsNamed(image, []);
  const answer = await ask(engine, { op: 'stop', image });
  if (answer !== null) return;
  await clearAway(engine);
  if (image === null) return;
  throw new A3sError('invalid_config', `there is no pool of ${image}`, { hint: 'see: a3s-box pool status' });
}

/** Every pool. @throws A3sError `timeout`, `io`. */
export async function listPools(engine: Engine): Promise<PoolStatus[]> {
  return (await ask(engine, { op: 'status' })) ?? [];
}

/** What a keeper that was killed has left. */
async function clearAway(engine: Engine): Promise<void> {
  if (!existsSync(keeperSocket(engine.layout))) return;
  const remove = async (): Promise<void> => {
    // One that was started meanwhile keeps its own.
    if ((await ask(engine, { op: 'status' })) === null) rmSync(keeperSocket(engine.layout), { force: true });
  };
  await withLock(keeperLock(engine.layout), remove, { timeoutMs: LOCK_MS });
}

/** The pools, as the keeper's answer has them; null when there is no keeper. */
async function ask(engine: Engine, request: KeeperRequest): Promise<PoolStatus[] | null> {
  const socket = await open(keeperSocket(engine.layout));
  if (socket === null) return null;
  socket.write(encodeJsonMessage(MessageType.request, request));
  try {
    const payload = await firstResult(socket, ANSWER_MS);
    if (payload === null) return null;
    const { error } = parseResult(payload);
    const answer = parseObject(payload, 'answer');
    if (error === undefined) return parsePools(answer['pools']);
    const code = isErrorCode(error.code) ? error.code : 'io';
    const { hint } = objectOr(answer['error']);
    throw new A3sError(code, error.message, typeof hint === 'string' ? { hint } : {});
  } finally {
    socket.destroy();
  }
}

function open(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const refused = (error: Error): void => {
      if (hasErrno(error, 'ENOENT', 'ECONNREFUSED')) resolve(null);
      else
        reject(new A3sError('io', `cannot reach the keeper of the pool: ${error.message}`, { cause: error }));
    };
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/** The payload of the first RESULT; null when the other side went away without one. */
function firstResult(socket: Socket, limitMs: number): Promise<Buffer | null> {
  const decoder = new MessageDecoder();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new A3sError('timeout', `the keeper of the pool did not answer within ${limitMs / 1000} s`));
    }, limitMs);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of decoder.decode(chunk)) {
          if (message.type === MessageType.result) resolve(message.payload);
        }
      } catch (error) {
        reject(error);
      }
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(null);
    });
    socket.resume();
  });
}

/** Call it under the keeper's lock. Resolves when it listens. */
async function startKeeper({ layout, bundleDir }: Engine): Promise<void> {
  const program = [...process.execArgv, join(packageRoot(), 'dist', 'cli.cjs'), KEEPER_COMMAND, layout.home];
  const child = spawn(process.execPath, program, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    cwd: '/',
    // Whatever the caller's directory is; and no keeper of a keeper.
    env: {
      ...process.env,
      A3S_HOME: layout.home,
      A3S_GUEST_BUNDLE: bundleDir,
      A3S_BOX_POOL: '0',
      // Each box is of the trace of the command that takes it.
      A3S_BOX_TRACE: '',
    },
  });
  child.on('error', () => {});
  child.unref();
  const connection = child.stdio[KEEPER_FD];
  if (!(connection instanceof Socket))
    throw new A3sError('io', 'the keeper was started without a connection');
  try {
    const payload = await firstResult(connection, START_MS);
    if (payload === null) throw new A3sError('io', 'the keeper of the pool has ended at once');
  } finally {
    connection.destroy();
  }
}
