/** A command that talks to the monitor: over the socket it was started with, or over control.sock. */
import type { Socket } from 'node:net';

import { ProtocolError } from '../protocol/frames.ts';
import { MessageDecoder, MessageType, encodeJsonMessage, type Message } from '../protocol/messages.ts';

export interface ClientEvents {
  /** The first message. Absent where it was read before the connection was made a client. */
  request?: (payload: Buffer, client: Client) => void;
  /** Everything after it: STDIN, STDIN_EOF, RESIZE, SIGNAL. */
  message: (message: Message, client: Client) => void;
  closed: (client: Client) => void;
}

const INPUT_TYPES: ReadonlySet<number> = new Set([
  MessageType.stdin,
  MessageType.stdinEof,
  MessageType.resize,
  MessageType.signal,
]);

export class Client {
  readonly #socket: Socket;
  /** Set by the request: the client reads output, writes input. */
  output = false;
  stdin = false;

  constructor(socket: Socket, events: ClientEvents) {
    this.#socket = socket;
    const decoder = new MessageDecoder();
    let { request } = events;
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of decoder.decode(chunk)) {
          const due = request;
          if ((due !== undefined) !== (message.type === MessageType.request))
            throw new ProtocolError('message out of turn');
          request = undefined;
          if (due !== undefined) due(message.payload, this);
          else if (INPUT_TYPES.has(message.type)) events.message(message, this);
          else throw new ProtocolError(`message type ${message.type} from a client`);
        }
      } catch {
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => events.closed(this));
  }

  /** Sends an encoded message; `done` is called when it has left, or the client has. */
  send(message: Buffer, done?: () => void): void {
    if (this.#socket.destroyed) done?.();
    else this.#socket.write(message, () => done?.());
  }

  sendJson(type: number, value: unknown): void {
    this.send(encodeJsonMessage(type, value));
  }

  /** Stops or continues reading from the client. */
  hold(on: boolean): void {
    if (on) this.#socket.pause();
    else this.#socket.resume();
  }

  /**
   * The last message, then the end; resolves when it has left, or the client has. A reader that stalls is waited for: the box is
   * settled by then, and its last bytes belong to that reader.
   */
  finish(message: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) {
        resolve();
        return;
      }
      this.#socket.once('close', () => resolve());
      this.#socket.end(message, resolve);
    });
  }
}
