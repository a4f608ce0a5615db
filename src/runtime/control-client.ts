/** Requests to a running box's monitor, over control.sock. */
import { connect, type Socket } from 'node:net';

import { A3sError } from '../errors.ts';
import { boxPaths } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import type { AttachOptions } from './launch.ts';
import { MessageSession } from './message-session.ts';
import { MessageType, encodeJsonMessage } from './protocol/messages.ts';
import type { ProcessSession } from './process-session.ts';

const SIGKILL = 9;

/** Joins a running box's own streams. */
export function attachBox(record: BoxRecord, options: AttachOptions): Promise<ProcessSession> {
  return request(record, { op: 'attach', ...options });
}

/** Sends a signal to the workload, KILL to all of it. After KILL it resolves when the box has stopped and its record says so. */
export async function signalBox(record: BoxRecord, signal: number): Promise<void> {
  const session = await request(record, { op: 'signal', number: signal });
  await ending(session, signal === SIGKILL);
}

/** Signal, grace, KILL. A negative grace waits for ever. Resolves once the record has its final state. */
export async function stopBox(
  record: BoxRecord,
  options: { signal: number; timeoutSeconds: number },
): Promise<void> {
  const session = await request(record, { op: 'stop', ...options });
  await ending(session, true);
}

async function ending(session: ProcessSession, boxEnds: boolean): Promise<void> {
  try {
    await session.result;
  } catch (error) {
    // A box that ends at that very moment closes the connection: that is what was asked for.
    if (!boxEnds) throw error;
  }
}

async function request(record: BoxRecord, value: object): Promise<ProcessSession> {
  const socket = await openSocket(boxPaths(record.box_dir).controlSocket, record.name);
  socket.write(encodeJsonMessage(MessageType.request, value));
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
