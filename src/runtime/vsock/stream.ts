/** One connection as a stream that is read by the byte: what the peer sends waits here, bounded, until it is asked for. */
import type { Socket } from 'node:net';

import { VsockError } from './error.ts';
import { limitError } from './limit.ts';

/** Bytes that may wait before the peer has to. */
const HIGH_WATER = 1024 * 1024;

export class VsockStream {
  /** For messages: which port of which socket. */
  readonly name: string;
  readonly #socket: Socket;
  readonly #limit: AbortSignal;
  #held: Buffer[] = [];
  #size = 0;
  #ended = false;
  #failure: Error | undefined;
  /** Tells the one reader that something has changed. */
  #wake = (): void => {};

  /** Takes a connected socket over; `limit` bounds all reads and writes. */
  constructor(socket: Socket, limit: AbortSignal, name: string) {
    this.name = name;
    this.#socket = socket;
    this.#limit = limit;
    const expire = (): void => void socket.destroy();
    socket.on('data', (chunk: Buffer) => {
      this.#held.push(chunk);
      this.#size += chunk.length;
      if (this.#size >= HIGH_WATER) socket.pause();
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#failure = error;
    });
    socket.on('end', () => this.#end());
    socket.on('close', () => {
      limit.removeEventListener('abort', expire);
      this.#end();
    });
    if (limit.aborted) expire();
    else limit.addEventListener('abort', expire, { once: true });
  }

  /**
   * The next bytes, as many as there are; null at the end of the stream.
   * @throws VsockError `reset`, `deadline`, `cancelled`.
   */
  async read(): Promise<Buffer | null> {
    while (this.#size === 0) {
      if (this.#limit.aborted) throw limitError(this.#limit, this.name);
      if (this.#failure !== undefined) throw this.#broken(this.#failure);
      if (this.#ended) return null;
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const [first = Buffer.alloc(0)] = this.#held;
    const bytes = this.#held.length === 1 ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#size = 0;
    return bytes;
  }

  /** Puts bytes back that were read too far: the next `read` has them. */
  unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.unshift(bytes);
    this.#size += bytes.length;
  }

  /** Writes all of it; resolves once it has left. @throws VsockError `reset`, `deadline`, `cancelled`. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error) reject(this.#broken(error));
        else resolve();
      });
    });
  }

  /** Ends the connection, both ways. */
  close(): void {
    this.#socket.destroy();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  #broken(cause: Error): VsockError {
    if (this.#limit.aborted) return limitError(this.#limit, this.name);
    return new VsockError('reset', `${this.name}: the connection was reset: ${cause.message}`, { cause });
  }
}
