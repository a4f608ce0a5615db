/** One connection as a stream that is read by the byte: what the peer sends waits here, bounded, until it is asked for. */
import type { Socket } from 'node:net';

import { VsockError } from './error.ts';
import { limitError } from './limit.ts';

/** Bytes that may wait before the peer has to. */
const HIGH_WATER = 1024 * 1024;
const NEWLINE = 10;

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
    if (!(await this.#fill(1))) return null;
    return this.#take(this.#size);
  }

  /**
   * Exactly `count` bytes.
   * @throws VsockError `reset` when the stream ends before, with the bytes that came as `raw`; `deadline`, `cancelled`.
   */
  async readExactly(count: number): Promise<Buffer> {
    if (await this.#fill(count)) return this.#take(count);
    throw new VsockError(
      'reset',
      `${this.name}: the connection ended after ${this.#size} of ${count} bytes`,
      {
        raw: this.#take(this.#size),
      },
    );
  }

  /**
   * A line with its newline; what follows it stays. Null when the stream ends before its first byte.
   * @throws VsockError `handshake` for one that is longer than `most` bytes or breaks off, with its bytes as `raw`.
   */
  async readLine(most: number): Promise<Buffer | null> {
    for (let wanted = 1; ; wanted = this.#size + 1) {
      const more = await this.#fill(wanted);
      if (!more && this.#size === 0) return null;
      const all = this.#join();
      const end = all.subarray(0, most).indexOf(NEWLINE);
      if (end >= 0) return this.#take(end + 1);
      if (more && all.length < most) continue;
      const why = more ? `is longer than ${most} bytes` : 'breaks off';
      throw new VsockError('handshake', `${this.name}: the answer ${why}`, { raw: all });
    }
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

  /** Waits for `count` bytes; false when the stream ends with fewer. */
  async #fill(count: number): Promise<boolean> {
    while (this.#size < count) {
      if (this.#limit.aborted) throw limitError(this.#limit, this.name);
      if (this.#failure !== undefined) throw this.#broken(this.#failure);
      if (this.#ended) return false;
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return true;
  }

  #join(): Buffer {
    const [first = Buffer.alloc(0)] = this.#held;
    const all = this.#held.length === 1 ? first : Buffer.concat(this.#held);
    this.#held = [all];
    return all;
  }

  #take(count: number): Buffer {
    const all = this.#join();
    this.#held = [all.subarray(count)];
    this.#size = all.length - count;
    return all.subarray(0, count);
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
