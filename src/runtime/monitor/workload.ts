/** The workload's stream: request out, output to the hub, input from the clients, its start and its end as promises. */
import { MessageType, encodeMessage, encodeResize } from '../protocol/messages.ts';
import type { AgentLink, ControlStream } from '../agent-link.ts';
import type { ProcessResult } from '../process-session.ts';
import { CREATE_FAILED, withStartFailure } from '../start-failure.ts';
import type { Said } from '../vsock/answer.ts';
import type { Client } from './client.ts';
import { note } from './monitor-log.ts';
import type { OutputHub } from './output-hub.ts';
import { stamped, type RunRequest } from './run-request.ts';

/** Input that may wait for a workload that does not read. */
const INPUT_HIGH_WATER = 1024 * 1024;
/** Characters of the agent's own words that the monitor's log takes. */
const NOTE_LENGTH = 1000;

export class Workload {
  /** Resolves when the workload's program has been executed; rejects when it never was. */
  readonly started: Promise<void>;
  readonly result: Promise<ProcessResult>;
  readonly #stream: ControlStream;
  readonly #held = new Set<Client>();
  #ended = false;

  constructor(link: AgentLink, request: RunRequest, hub: OutputHub) {
    const start = Promise.withResolvers<void>();
    const end = Promise.withResolvers<ProcessResult>();
    this.started = start.promise;
    this.result = end.promise;
    start.promise.catch(() => {});
    end.promise.catch(() => {});
    this.#stream = link.control(stamped(request), {
      said: (said) => this.#hear(said, hub, start, end),
      error: (error) => {
        start.reject(error);
        end.reject(error);
      },
    });
    this.#stream.onDrain(() => {
      for (const client of this.#held) client.hold(false);
      this.#held.clear();
    });
  }

  /** The RESULT is there: whatever else the guest does changes nothing. */
  get ended(): boolean {
    return this.#ended;
  }

  send(message: Buffer): void {
    this.#stream.send(message);
  }

  signal(number: number): void {
    this.#stream.send(encodeMessage(MessageType.signal, Buffer.of(number)));
  }

  resize(rows: number, cols: number): void {
    this.#stream.send(encodeResize(rows, cols));
  }

  /** True when so much input waits that the client must pause; it is released when the queue has emptied. */
  holdsInput(client: Client): boolean {
    if (this.#stream.queuedBytes <= INPUT_HIGH_WATER) return false;
    this.#held.add(client);
    return true;
  }

  #hear(
    said: Said,
    hub: OutputHub,
    start: PromiseWithResolvers<void>,
    end: PromiseWithResolvers<ProcessResult>,
  ): void {
    switch (said.kind) {
      case 'started':
        start.resolve();
        break;
      case 'log':
        note(`agent: ${said.level}: ${said.text.slice(0, NOTE_LENGTH)}`);
        break;
      case 'result': {
        const result = withStartFailure(said.result, CREATE_FAILED);
        this.#ended = true;
        // The agent answers as for exec; for a box that names an unknown user Docker's run says 125.
        if (result.error?.code === 'bad_user') result.exitCode = 125;
        if (result.error !== undefined) start.reject(new Error(result.error.message));
        else start.resolve();
        end.resolve(result);
        break;
      }
      default:
        hub.forward(said.message, (bytes) => this.#stream.consume(bytes));
    }
  }
}
