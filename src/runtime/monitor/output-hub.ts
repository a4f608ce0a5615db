/** The workload's output to everyone who wants it: the log and any number of clients, each byte once, none ahead of the slowest. */
import { MessageType, type Message } from '../protocol/messages.ts';
import type { Client } from './client.ts';
import type { WorkloadLog } from './workload-log.ts';

export class OutputHub {
  readonly #log: WorkloadLog;
  readonly #clients = new Set<Client>();

  constructor(log: WorkloadLog) {
    this.#log = log;
  }

  add(client: Client): void {
    this.#clients.add(client);
  }

  remove(client: Client): void {
    this.#clients.delete(client);
  }

  /** Passes a STDOUT or STDERR message on; `consumed` is called with its payload's size once all have taken it. */
  forward(message: Message, consumed: (bytes: number) => void): void {
    let waiting = 1 + this.#clients.size;
    const done = (): void => {
      waiting -= 1;
      if (waiting === 0) consumed(message.payload.length);
    };
    const stream = message.type === MessageType.stderr ? 'stderr' : 'stdout';
    this.#log.write(stream, message.payload, done);
    for (const client of this.#clients) client.send(message.raw, done);
  }
}
