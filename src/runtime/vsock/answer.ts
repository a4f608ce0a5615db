/**
 * What a guest answers to one REQUEST, cut out of the bytes of any stream: STARTED, STDOUT, STDERR and LOG in any number, then
 * one RESULT (docs/protocol.md, "Messages"). A box's monitor reads its workload with it, `exchange` a dialled port.
 */
import type { ProcessResult } from '../process-session.ts';
import { ProtocolError } from '../protocol/frames.ts';
import { guestText } from '../protocol/guest-text.ts';
import { MessageDecoder, MessageType, type Message } from '../protocol/messages.ts';
import { grantsTransfer, parseObject, parseResult } from '../protocol/result.ts';

export type Said =
  /** With the transfer disk, when that was asked for and is free. */
  | { kind: 'started'; transfer: boolean }
  /** A view of the chunk it came in: whoever keeps it copies it. */
  | { kind: 'stdout' | 'stderr'; message: Message }
  /** The agent's own words, fit to be shown. */
  | { kind: 'log'; level: string; text: string }
  | { kind: 'result'; result: ProcessResult };

export class AnswerReader {
  readonly #decoder = new MessageDecoder();
  #ended = false;

  /** The result is there. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True between messages: a stream that ends elsewhere breaks off in the middle of one. */
  get idle(): boolean {
    return this.#decoder.idle;
  }

  /**
   * What `chunk` says, one thing after the other: all before a bad message is heard.
   * @throws ProtocolError with the message's bytes when it is out of bounds, of a type that no guest sends, empty or not what its
   *   type says, or comes after the result.
   */
  *read(chunk: Buffer): Generator<Said, void, undefined> {
    for (const message of this.#decoder.decode(chunk)) {
      if (this.#ended) throw new ProtocolError('the guest went on after its result', message.raw);
      const said = meaningOf(message);
      this.#ended = said.kind === 'result';
      yield said;
    }
  }
}

function meaningOf(message: Message): Said {
  try {
    return said(message);
  } catch (error) {
    throw error instanceof ProtocolError ? new ProtocolError(error.message, message.raw) : error;
  }
}

function said(message: Message): Said {
  const { type, payload } = message;
  switch (type) {
    case MessageType.started:
      return { kind: 'started', transfer: grantsTransfer(payload) };
    case MessageType.stdout:
      return { kind: 'stdout', message };
    case MessageType.stderr:
      return { kind: 'stderr', message };
    case MessageType.log: {
      const { level, message: text } = parseObject(payload, 'log');
      return { kind: 'log', level: guestText(level), text: guestText(text) };
    }
    case MessageType.result:
      if (payload.length === 0) throw new ProtocolError('the result is empty');
      return { kind: 'result', result: parseResult(payload) };
    default:
      throw new ProtocolError(`message type ${type} from the guest`);
  }
}
