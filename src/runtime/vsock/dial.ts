/**
 * Dials a guest's port through a VMM's unix socket: Firecracker's "hybrid vsock" (its docs/vsock.md), which
 * cloud-hypervisor speaks as well. The host writes `CONNECT <port>\n`, the answer is a line `OK <host port>\n`; a port that
 * nobody listens on shows as a connection that ends without an answer. Dials share nothing: any number may run at once.
 */
import { createConnection, type Socket } from 'node:net';

import { A3sError, hasErrno } from '../../errors.ts';
import { guestText } from '../protocol/guest-text.ts';
import { VsockError } from './error.ts';
import { limitError, limitOf, waitWithin, type VsockLimits } from './limit.ts';
import { MAX_ANSWER, OpeningReader, connectLine } from './opening.ts';
import { VsockStream } from './stream.ts';

const ATTEMPTS = 5;
const FIRST_WAIT_MS = 100;
const MAX_PORT = 0xffff_fffe;

export interface VsockAddress {
  /** The VMM's unix socket. */
  path: string;
  /** The guest's port. */
  port: number;
}

/**
 * A connection to the guest's port. Refusals are tried again, five attempts in all, after 100, 200, 400 and 800 ms.
 * @throws VsockError `refused`, `handshake`, `deadline`, `cancelled`, `io`; A3sError `usage` for a port that cannot be.
 */
export async function dialVsock(address: VsockAddress, limits: VsockLimits): Promise<VsockStream> {
  const name = `vsock port ${address.port} at ${address.path}`;
  if (!Number.isInteger(address.port) || address.port < 0 || address.port > MAX_PORT) {
    throw new A3sError('usage', `${name}: a port is a number from 0 to ${MAX_PORT}`);
  }
  const limit = limitOf(limits);
  for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt += 1, wait *= 2) {
    try {
      return await attemptDial(address, limit, name);
    } catch (error) {
      if (!(error instanceof VsockError) || error.reason !== 'refused') throw error;
      if (attempt === ATTEMPTS) {
        throw new VsockError('refused', `${name}: refused ${ATTEMPTS} times: ${error.message}`, {
          cause: error,
        });
      }
    }
    await waitWithin(wait, limit, name);
  }
}

async function attemptDial(
  { path, port }: VsockAddress,
  limit: AbortSignal,
  name: string,
): Promise<VsockStream> {
  const stream = new VsockStream(await connect(path, limit, name), limit, name);
  try {
    await stream.write(connectLine(port));
    await opened(stream);
    return stream;
  } catch (error) {
    stream.close();
    // Before the answer there was no connection to the guest: that one ended is how a VMM refuses.
    if (error instanceof VsockError && error.reason === 'reset') {
      throw new VsockError('refused', error.message, { cause: error });
    }
    throw error;
  }
}

/** Resolves once the port has answered OK. What came behind the answer is the stream's. */
async function opened(stream: VsockStream): Promise<void> {
  const opening = new OpeningReader();
  const wrong = (what: string, raw = opening.held): VsockError =>
    new VsockError('handshake', `${stream.name}: the answer ${what}`, { raw });
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) {
      if (opening.held.length > 0) throw wrong('breaks off');
      throw new VsockError('refused', 'nobody listens on the port');
    }
    const step = opening.push(chunk);
    if (step.kind === 'endless') throw wrong(`is longer than ${MAX_ANSWER} bytes`);
    if (step.kind === 'refused') {
      throw wrong(`is not OK: ${guestText(step.line.toString('latin1').trimEnd())}`, step.line);
    }
    if (step.kind === 'open') {
      stream.unread(step.rest);
      return;
    }
  }
}

function connect(path: string, limit: AbortSignal, name: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (limit.aborted) {
      reject(limitError(limit, name));
      return;
    }
    const socket = createConnection({ path });
    const settle = (act: () => void): void => {
      limit.removeEventListener('abort', expire);
      socket.off('error', fail);
      act();
    };
    const expire = (): void =>
      settle(() => {
        socket.on('error', () => {});
        socket.destroy();
        reject(limitError(limit, name));
      });
    const fail = (cause: Error): void =>
      settle(() => {
        // A VMM that is still coming up has no socket yet, or does not listen on it.
        const refused = hasErrno(cause, 'ECONNREFUSED', 'ENOENT', 'EAGAIN');
        reject(new VsockError(refused ? 'refused' : 'io', `${name}: ${cause.message}`, { cause }));
      });
    limit.addEventListener('abort', expire, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => settle(() => resolve(socket)));
  });
}
