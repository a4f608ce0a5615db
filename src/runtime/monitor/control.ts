/** control.sock: what commands ask of a running box. */
import { createServer, type Server } from 'node:net';

import { A3sError } from '../../errors.ts';
import { MessageType, encodeJsonMessage, type Message } from '../protocol/messages.ts';
import { listenPrivately } from './bridge.ts';
import { Client } from './client.ts';
import { parseControl, type AttachRequest, type ControlRequest } from './requests.ts';

/** What a box does for its clients. */
export interface ControlledBox {
  attach: (client: Client, request: AttachRequest) => void;
  signal: (number: number) => void;
  /** Ends the box: the signal now (none: null), KILL after the grace in ms (null: never). The client hears the box's RESULT. */
  end: (client: Client, signal: number | null, graceMs: number | null) => void;
  /** `stop` asked for the end: a restart policy must not undo it. */
  stopRequested: () => void;
  message: (message: Message, client: Client) => void;
  closed: (client: Client) => void;
}

const SIGKILL = 9;
const MS = 1000;

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
  if (request.op === 'attach') {
    box.attach(client, request);
  } else if (request.op === 'stop') {
    box.stopRequested();
    box.end(client, request.signal, request.timeoutSeconds < 0 ? null : request.timeoutSeconds * MS);
  } else if (request.number === SIGKILL) {
    box.end(client, null, 0);
  } else {
    box.signal(request.number);
    void client.finish(encodeJsonMessage(MessageType.result, { exit_code: 0 }));
  }
}

function refusal(error: unknown): Buffer {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof A3sError ? error.code : 'usage';
  return encodeJsonMessage(MessageType.result, { exit_code: 1, error: { code, stage: 'request', message } });
}
