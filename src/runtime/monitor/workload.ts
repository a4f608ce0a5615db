/** The workload's stream: request out, output to the hub, input from the clients, its start and its end as promises. */
import { ProtocolError } from '../protocol/frames.ts';
import { MessageType, encodeMessage, encodeResize, type Message } from '../protocol/messages.ts';
import { parseObject, parseResult } from '../protocol/result.ts';
import type { AgentLink, ControlStream } from '../agent-link.ts';
import type { ProcessResult } from '../process-session.ts';
import type { Client } from './client.ts';
import { note } from './monitor-log.ts';
import type { OutputHub } from './output-hub.ts';
import { stamped, type RunRequest } from './run-request.ts';

/** Input that may wait for a workload that does not read. */
const INPUT_HIGH_WATER = 1024 * 1024;

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
      message: (message) => this.#receive(message, hub, start, end),
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

  #receive(
    message: Message,
    hub: OutputHub,
    start: PromiseWithResolvers<void>,
    end: PromiseWithResolvers<ProcessResult>,
  ): void {
    if (this.#ended) throw new ProtocolError('the guest went on after its result');
    switch (message.type) {
      case MessageType.started:
        parseObject(message.payload, 'started');
        start.resolve();
        break;
      case MessageType.stdout:
      case MessageType.stderr:
        hub.forward(message, (bytes) => this.#stream.consume(bytes));
        break;
      case MessageType.log: {
        const { level, message: text } = parseObject(message.payload, 'log');
        note(`agent: ${String(level)}: ${String(text).slice(0, 1000)}`);
        break;
      }
      case MessageType.result: {
        const result = parseResult(message.payload);
        this.#ended = true;
        // The agent answers as for exec; for a box that names an unknown user Docker's run says 125.
        if (result.error?.code === 'bad_user') result.exitCode = 125;
        if (result.error !== undefined) start.reject(new Error(result.error.message));
        else start.resolve();
        end.resolve(result);
        break;
      }
      default:
        throw new ProtocolError(`message type ${message.type} from the guest`);
    }
  }
}
