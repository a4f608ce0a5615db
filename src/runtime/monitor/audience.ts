/** Who hears what of a box, by what they asked its monitor for. */
import { MessageType, encodeJsonMessage } from '../protocol/messages.ts';
import type { ProcessResult } from '../process-session.ts';
import type { Client } from './client.ts';

const DONE = encodeJsonMessage(MessageType.result, { exit_code: 0 });

export class Audience {
  readonly #attached = new Set<Client>();
  /** Who hears how this run ends. */
  readonly #waiting = new Set<Client>();
  /** Who hears that the next one has begun. */
  readonly #restarters = new Set<Client>();
  /** Those of them whose run has begun, and is being written down. */
  readonly #starting = new Set<Client>();
  /** The RESULT after which there is no other. */
  #last: Buffer | undefined;

  /** A restart is asked for and not answered. */
  get wantsRestart(): boolean {
    return this.#restarters.size > 0;
  }

  /** The last RESULT has been told: a client that comes now is told at once. */
  get isOver(): boolean {
    return this.#last !== undefined;
  }

  /** It has the workload's streams, and hears each RESULT until it has had one. */
  attach(client: Client): void {
    this.#attached.add(client);
  }

  /** It hears the next RESULT; after the last one that. */
  wait(client: Client): void {
    if (this.#last === undefined) this.#waiting.add(client);
    else void client.finish(this.#last);
  }

  /** It hears that the box runs again, or why not. */
  restart(client: Client): void {
    this.#restarters.add(client);
  }

  leave(client: Client): void {
    for (const set of [this.#attached, this.#waiting, this.#restarters, this.#starting]) set.delete(client);
  }

  /** The run that was asked for begins: a restart that is asked for from now on is one of this run. */
  begun(): void {
    for (const client of this.#restarters) this.#starting.add(client);
    this.#restarters.clear();
  }

  /** The box runs, and its record says so. */
  restarted(): void {
    for (const client of this.#starting) void client.finish(DONE);
    this.#starting.clear();
  }

  /** It does not run again for those who asked too late. */
  refuseRestarters(refusal: Buffer): void {
    for (const client of this.#takeRestarters()) void client.finish(refusal);
  }

  /** It does not run again: who asked for it hears how it ended. */
  giveUpRestarters(): void {
    for (const client of this.#takeRestarters()) this.#waiting.add(client);
  }

  /**
   * The RESULT, to everyone who is attached or waits; resolves when all have it, or have left.
   * @param isLast there is no other: whoever waits from now on hears this one
   */
  async tell(result: ProcessResult, isLast: boolean): Promise<void> {
    const message = encodeJsonMessage(MessageType.result, {
      exit_code: result.exitCode,
      signal: result.signal,
      oom_killed: result.oomKilled,
      error: result.error,
    });
    if (isLast) this.#last = message;
    const listeners = new Set([...this.#attached, ...this.#waiting]);
    this.#attached.clear();
    this.#waiting.clear();
    await Promise.all([...listeners].map((client) => client.finish(message)));
  }

  #takeRestarters(): Client[] {
    const taken = [...this.#starting, ...this.#restarters];
    this.#starting.clear();
    this.#restarters.clear();
    return taken;
  }
}
