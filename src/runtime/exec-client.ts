/** A command in a running box: the streaming form of the exec service, through exec.sock. docs/protocol.md, "4089". */
import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';

import { A3sError } from '../errors.ts';
import { boxPaths } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { openSocket } from './control-client.ts';
import { MessageSession } from './message-session.ts';
import { requestBody } from './protocol/request.ts';
import { guestText } from './protocol/guest-text.ts';
import type { ProcessSession } from './process-session.ts';
import { EXEC_FAILED } from './start-failure.ts';

export interface ExecSpec {
  cmd: string[];
  /** `K=V`, over the box's own environment. */
  env: string[];
  workingDir?: string;
  user?: string;
  tty: boolean;
  rows?: number;
  cols?: number;
  /** Stdin stays open until the session ends it. */
  openStdin: boolean;
  privileged: boolean;
  /** The command is killed after this long and ends with status 124. */
  timeoutSeconds?: number;
}

const MAX_HEAD = 16_384;
const NANOSECONDS = 1_000_000_000;
const ANSWER_MS = 30_000;

/**
 * Starts the command.
 * @throws A3sError `box_not_running`, `invalid_config` for more than a request holds, `usage` when the agent refuses it, `timeout`
 *   when it does not answer.
 */
export async function execInBox(record: BoxRecord, spec: ExecSpec): Promise<ProcessSession> {
  return openStream(record, '/exec', execRequest(spec), EXEC_FAILED);
}

/**
 * A streaming request to the exec service.
 * @param startFailure what stands before the reason when it cannot be done
 * @param signal ends the connection, as if the box had
 * @throws A3sError as execInBox does.
 */
export async function openStream(
  record: BoxRecord,
  path: string,
  request: object,
  startFailure = '',
  signal?: AbortSignal,
): Promise<MessageSession> {
  const body = requestBody(request);
  const socket = await openSocket(boxPaths(record.box_dir).execSocket, record.name);
  if (signal !== undefined) addAbortSignal(signal, socket);
  const head =
    `POST ${path} HTTP/1.1\r\nHost: box\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\nConnection: Upgrade\r\nUpgrade: a3s-exec/1\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), body]));
  // Hints are the product's own advice: a guest has none to give.
  return new MessageSession(socket, { first: await upgraded(socket), hints: false, startFailure });
}

function execRequest(spec: ExecSpec): object {
  return {
    cmd: spec.cmd,
    env: spec.env,
    working_dir: spec.workingDir,
    user: spec.user,
    tty: spec.tty,
    rows: spec.rows,
    cols: spec.cols,
    open_stdin: spec.openStdin,
    privileged: spec.privileged,
    timeout_ns: spec.timeoutSeconds === undefined ? 0 : Math.round(spec.timeoutSeconds * NANOSECONDS),
  };
}

/** Waits for the 101 answer; gives the bytes behind it. */
function upgraded(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.off('data', receive);
      socket.off('close', closed);
      socket.off('error', closed);
      act();
    };
    const refuse = (error: A3sError): void =>
      settle(() => {
        socket.destroy();
        reject(error);
      });
    const closed = (): void =>
      refuse(new A3sError('io', 'the box ended before it answered', { stage: 'request' }));
    const timer = setTimeout(
      () => refuse(new A3sError('timeout', `the box did not answer within ${ANSWER_MS} ms`)),
      ANSWER_MS,
    );
    const receive = (chunk: Buffer): void => {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) {
        if (held.length > MAX_HEAD) refuse(new A3sError('guest_protocol', 'the box sent an endless answer'));
        return;
      }
      const status = /^HTTP\/1\.1 (\d{3})/.exec(held.toString('latin1', 0, 32))?.[1];
      const rest = held.subarray(end + 4);
      if (status === '101') settle(() => resolve(rest));
      else refuse(refusal(status, rest.toString('utf8')));
    };
    socket.on('data', receive);
    socket.on('close', closed);
    socket.on('error', closed);
  });
}

function refusal(status: string | undefined, body: string): A3sError {
  const said = guestText(/"error"\s*:\s*"([^"]{0,500})"/.exec(body)?.[1] ?? 'no reason given');
  if (status === '409') return new A3sError('box_not_running', `the box runs no workload: ${said}`);
  return new A3sError('usage', `the box refused the command (${status ?? 'no status'}): ${said}`);
}
