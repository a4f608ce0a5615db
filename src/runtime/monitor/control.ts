/** control.sock: what commands ask of a running box. */
import { createServer, type Server } from 'node:net';

import { A3sError } from '../../errors.ts';
import { MessageType, encodeJsonMessage, type Message } from '../protocol/messages.ts';
import type { ExecSpec } from '../exec-client.ts';
import { listenPrivately } from './bridge.ts';
import { Client } from './client.ts';
import { parseControl, type AttachRequest, type BoxLimits, type ControlRequest } from './requests.ts';

/** What a box does for its clients. */
export interface ControlledBox {
  attach: (client: Client, request: AttachRequest) => void;
  signal: (number: number) => void;
  /** Ends the box: the signal now (none: null), KILL after the grace in ms (null: never). The client hears the box's RESULT. */
  end: (client: Client, signal: number | null, graceMs: number | null) => void;
  /** The same, and the box runs again. The client hears RESULT 0 then, or why it does not. */
  restart: (client: Client, signal: number, graceMs: number | null) => void;
  /** The box, which waits for its restart, does not run until the client hangs up; it hears STARTED, and a byte of output if it is to give up. */
  hold: (client: Client) => void;
  /** The client hears the box's next RESULT. */
  wait: (client: Client) => void;
  /** Stops the VM, or lets it go on; resolves once the record says so. */
  pause: (on: boolean) => Promise<void>;
  /** Gives the running workload other limits, as far as its VM has what they promise. */
  limit: (limits: BoxLimits) => Promise<void>;
  /** Runs a command whose output nobody reads; resolves once it runs. */
  exec: (spec: ExecSpec) => Promise<void>;
  message: (message: Message, client: Client) => void;
  closed: (client: Client) => void;
}

const SIGKILL = 9;
const MS = 1000;
const DONE = encodeJsonMessage(MessageType.result, { exit_code: 0 });

export function controlServer(box: ControlledBox, path: string, failed: (error: Error) => void): Server {
  const server = createServer((socket) => {
    // The client lives by its socket's events.
    void new Client(socket, {
      request: (payload, client) => {
        try {
          serve(box, client, parseControl(payload));
        } catch (error) {
          void client.finish(refusal(error));
        }
      },
      message: (message, sender) => box.message(message, sender),
      closed: (gone) => box.closed(gone),
    });
  });
  listenPrivately(server, path, failed);
  return server;
}

function serve(box: ControlledBox, client: Client, request: ControlRequest): void {
  const finish = (answer: Buffer): void => void client.finish(answer);
  switch (request.op) {
    case 'attach':
      return box.attach(client, request);
    case 'hold':
      return box.hold(client);
    case 'wait':
      return box.wait(client);
    case 'pause':
    case 'unpause':
      return void answer(box.pause(request.op === 'pause')).then(finish);
    case 'limit':
      return void answer(box.limit(request)).then(finish);
    case 'exec':
      return void answer(box.exec(request.spec)).then(finish);
    case 'stop':
    case 'restart': {
      const graceMs = request.timeoutSeconds < 0 ? null : request.timeoutSeconds * MS;
      const act = request.op === 'stop' ? box.end : box.restart;
      return act.call(box, client, request.signal, graceMs);
    }
    default:
      if (request.number === SIGKILL) return box.end(client, null, 0);
      box.signal(request.number);
      return finish(DONE);
  }
}

/** What the client hears of something that takes its time. */
async function answer(work: Promise<void>): Promise<Buffer> {
  try {
    await work;
    return DONE;
  } catch (error) {
    return refusal(error);
  }
}

/** The RESULT that tells a client why not. */
export function refusal(error: unknown): Buffer {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof A3sError ? error.code : 'usage';
  const { hint, stage = 'request', exitStatus = 1 } = error instanceof A3sError ? error : {};
  return encodeJsonMessage(MessageType.result, {
    exit_code: exitStatus,
    error: { code, stage, message, hint },
  });
}
