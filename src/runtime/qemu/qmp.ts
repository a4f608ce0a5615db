/** QEMU's control protocol over an inherited socket: commands are pipelined, every answer has a deadline. */
import type { Socket } from 'node:net';

import { A3sError } from '../../errors.ts';

const MAX_BUFFER = 1024 * 1024;

interface Pending {
  command: string;
  settle: (error: A3sError | null, value: unknown) => void;
}

export class Qmp {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #text = '';
  #closed = false;
  /** QEMU could not read or write the disk with this node name. */
  onDiskError: (disk: string) => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('error', () => this.#close());
    socket.on('close', () => this.#close());
    this.#write({ execute: 'qmp_capabilities' });
  }

  /**
   * Runs a command and gives its `return` value.
   * @throws A3sError `io` when QEMU refuses it or is gone, `timeout` after `timeoutMs`.
   */
  execute(command: string, args?: Record<string, unknown>, timeoutMs = 10_000): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new A3sError('io', `QEMU is gone (${command})`));
        return;
      }
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new A3sError('timeout', `QEMU did not answer ${command} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, {
        command,
        settle: (error, value) => {
          clearTimeout(timer);
          if (error === null) resolve(value);
          else reject(error);
        },
      });
      this.#write(args === undefined ? { execute: command, id } : { execute: command, arguments: args, id });
    });
  }

  #write(value: unknown): void {
    this.#socket.write(`${JSON.stringify(value)}\n`);
  }

  #receive(text: string): void {
    this.#text += text;
    if (this.#text.length > MAX_BUFFER) {
      this.#socket.destroy();
      return;
    }
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') this.#answer(line);
    }
  }

  #answer(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      // Not QEMU's own words: whoever speaks there has taken QEMU over. Its commands fail, its monitor lives.
      this.#socket.destroy();
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    if ('event' in value && value.event === 'BLOCK_IO_ERROR') this.onDiskError(diskOf(value));
    if (!('id' in value) || typeof value.id !== 'number') return;
    const pending = this.#pending.get(value.id);
    if (pending === undefined) return;
    this.#pending.delete(value.id);
    if ('error' in value) {
      const text = JSON.stringify(value.error);
      pending.settle(new A3sError('io', `QEMU refused ${pending.command}: ${text}`), null);
      return;
    }
    pending.settle(null, 'return' in value ? value.return : undefined);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of this.#pending.values()) {
      pending.settle(new A3sError('io', `QEMU ended before it answered ${pending.command}`), null);
    }
    this.#pending.clear();
  }
}

function diskOf(event: object): string {
  const data = 'data' in event ? event.data : null;
  const isNamed = typeof data === 'object' && data !== null && 'node-name' in data;
  return isNamed && typeof data['node-name'] === 'string' ? data['node-name'] : '';
}
