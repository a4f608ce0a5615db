/** Requests to a running box's monitor, over control.sock. */
import { connect, type Socket } from 'node:net';

import { A3sError } from '../errors.ts';
import { MAX_TIMER_MS } from '../state/grace.ts';
import { boxPaths } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import type { ExecSpec } from './exec-client.ts';
import type { AttachOptions } from './launch.ts';
import type { BoxLimits } from './monitor/requests.ts';
import { MessageSession } from './message-session.ts';
import { encodeRequest } from './protocol/request.ts';
import type { ProcessResult, ProcessSession } from './process-session.ts';

const SIGKILL = 9;

/** A monitor answers at once; one that does not is stuck. */
const ANSWER_MS = 30_000;
/** After the grace: KILL inside the guest, then of the VM, its log and its record. */
const END_MS = 20_000;
/** Longer than the boot of a template on a slow host. */
const START_MS = 120_000;

/**
 * Joins a running box's own streams.
 * @throws A3sError `box_not_running`, `timeout` when the monitor does not answer.
 */
export async function attachBox(record: BoxRecord, options: AttachOptions): Promise<ProcessSession> {
  const session = await request(record, { op: 'attach', ...options });
  await within(ANSWER_MS, session, session.started, record.name);
  return session;
}

/**
 * Sends a signal to the workload, KILL to all of it. After KILL it resolves when the box has stopped and its record says so.
 * @throws A3sError `box_not_running`, `timeout`; `io` when the connection was lost, as it is when the box ends just then.
 */
export async function signalBox(record: BoxRecord, signal: number): Promise<void> {
  const session = await request(record, { op: 'signal', number: signal });
  await within(signal === SIGKILL ? END_MS : ANSWER_MS, session, session.result, record.name);
}

/**
 * Signal, grace, KILL. A grace of -1 waits for ever; one over MAX_GRACE_S is not understood. Resolves once the record
 * has its final state. Throws what signalBox throws.
 */
export async function stopBox(
  record: BoxRecord,
  options: { signal: number; timeoutSeconds: number },
): Promise<void> {
  const session = await request(record, { op: 'stop', ...options });
  const limit = options.timeoutSeconds < 0 ? undefined : options.timeoutSeconds * 1000 + END_MS;
  await within(limit, session, session.result, record.name);
}

/**
 * As stopBox, and the box runs again: resolves once it does.
 * @throws A3sError what signalBox throws; `boot_failed` and the like when it does not come up.
 */
export async function restartBox(
  record: BoxRecord,
  options: { signal: number; timeoutSeconds: number },
): Promise<void> {
  const session = await request(record, { op: 'restart', ...options });
  const limit = options.timeoutSeconds < 0 ? undefined : options.timeoutSeconds * 1000 + END_MS + START_MS;
  await within(limit, session, session.started, record.name);
}

/** Stops the VM or lets it go on; resolves once the record says so. Throws what signalBox throws. */
export async function pauseBox(record: BoxRecord, on: boolean): Promise<void> {
  const session = await request(record, { op: on ? 'pause' : 'unpause' });
  await within(ANSWER_MS, session, session.started, record.name);
}

/** The right to use the files of a box that waits for its restart. */
export interface BoxHold extends Disposable {
  /** Settles when the right is lost: the box is to end, or its monitor has gone. */
  readonly lost: Promise<void>;
}

/**
 * Keeps a box that waits for its restart from running; null when it runs already, or is about to.
 * @throws A3sError `timeout`.
 */
export async function holdBox(record: BoxRecord): Promise<BoxHold | null> {
  try {
    const session = await request(record, { op: 'hold' });
    await within(ANSWER_MS, session, session.started, record.name);
    const lost = new Promise<void>((resolve) => {
      // What is output elsewhere is the monitor's word here that the box is to end.
      session.stdout.once('data', () => resolve()).once('end', resolve);
    });
    return { lost, [Symbol.dispose]: () => session.detach() };
  } catch (error) {
    if (error instanceof A3sError && (error.code === 'box_not_running' || error.code === 'io')) return null;
    throw error;
  }
}

/**
 * Gives the running workload other limits. @throws A3sError `invalid_config` for more than its VM has, and what signalBox
 * throws.
 */
export async function limitBox(record: BoxRecord, limits: BoxLimits): Promise<void> {
  const session = await request(record, { op: 'limit', ...limits });
  await within(ANSWER_MS, session, session.started, record.name);
}

/**
 * Has the monitor run a command whose output nobody reads; resolves once it runs.
 * @throws A3sError `start_failed` with the exit status, and what execInBox and signalBox throw.
 */
export async function runDetached(record: BoxRecord, spec: ExecSpec): Promise<void> {
  const session = await request(record, { op: 'exec', spec });
  await within(ANSWER_MS, session, session.started, record.name);
}

/**
 * How the workload ends, whenever that is.
 * @throws A3sError `box_not_running`; `io` when the connection was lost.
 */
export async function waitForBox(record: BoxRecord): Promise<ProcessResult> {
  const session = await request(record, { op: 'wait' });
  return session.result;
}

/** The answer, or `timeout` after that many milliseconds; undefined waits for ever. */
async function within<T>(
  limitMs: number | undefined,
  session: ProcessSession,
  answer: Promise<T>,
  name: string,
): Promise<T> {
  if (limitMs === undefined) return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      session.detach();
      const error = `container ${name} did not answer within ${limitMs / 1000} s`;
      reject(new A3sError('timeout', error, { hint: `remove it with: a3s-box rm -f ${name}` }));
    };
    timer = setTimeout(giveUp, Math.min(limitMs, MAX_TIMER_MS));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function request(record: BoxRecord, value: object): Promise<ProcessSession> {
  const message = encodeRequest(value);
  const socket = await openSocket(boxPaths(record.box_dir).controlSocket, record.name);
  socket.write(message);
  return new MessageSession(socket);
}

/**
 * Connects to one of a box's sockets.
 * @throws A3sError `box_not_running` when nothing listens there.
 */
export function openSocket(path: string, name: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const refuse = (cause: Error): void =>
      reject(new A3sError('box_not_running', `container ${name} is not running`, { cause }));
    socket.once('error', refuse);
    socket.once('connect', () => {
      socket.off('error', refuse);
      resolve(socket);
    });
  });
}
