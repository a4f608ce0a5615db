/** Who uses the files of a box that waits for its restart: it does not run again, nor is said to have ended, before they are done. */
import { encodeMessage, MessageType } from '../protocol/messages.ts';
import type { Client } from './client.ts';

/** Not a RESULT: the connection stays until the holder's VM is gone. */
const GIVE_UP = encodeMessage(MessageType.stdout, Buffer.of(0));

export class Holds {
  readonly #clients = new Set<Client>();
  /** How the wait for the last of them ends. */
  #free: () => void = () => {};

  /** It holds the box until it hangs up. */
  add(client: Client): void {
    this.#clients.add(client);
    client.sendJson(MessageType.started, {});
  }

  leave(client: Client): void {
    if (this.#clients.delete(client) && this.#clients.size === 0) this.#free();
  }

  /** Asks them to give up, after the grace in ms (null: never): what they were doing is not worth the wait of who ends the box. */
  endAfter(graceMs: number | null): void {
    if (graceMs === null) return;
    for (const client of this.#clients) setTimeout(() => client.send(GIVE_UP), graceMs).unref();
  }

  /** Resolves once nobody holds the box. */
  async over(): Promise<void> {
    if (this.#clients.size > 0) await new Promise<void>((resolve) => (this.#free = resolve));
  }
}
