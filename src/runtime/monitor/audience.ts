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
    for (const set of [this.#attached, this.#waiting, this.#restarters]) set.delete(client);
  }

  /** The box runs. */
  restarted(): void {
    this.#answerRestarters(DONE);
  }

  /** It does not run again for those who asked too late. */
  refuseRestarters(refusal: Buffer): void {
    this.#answerRestarters(refusal);
  }

  /** It does not run again: who asked for it hears how it ended. */
  giveUpRestarters(): void {
    for (const client of this.#restarters) this.#waiting.add(client);
    this.#restarters.clear();
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

  #answerRestarters(answer: Buffer): void {
    for (const client of this.#restarters) void client.finish(answer);
    this.#restarters.clear();
  }
}
