/** Length-prefixed, type-tagged messages: docs/protocol.md, "Messages". Spoken on guest streams and on a box's control socket. */
import { ProtocolError } from './frames.ts';

export const MessageType = {
  request: 0x01,
  stdin: 0x02,
  stdinEof: 0x03,
  resize: 0x04,
  signal: 0x05,
  started: 0x11,
  stdout: 0x12,
  stderr: 0x13,
  log: 0x14,
  result: 0x1f,
} as const;

/** Longest value of the length field: one type byte and 1 MiB. */
export const MAX_MESSAGE_LENGTH = 1_048_577;
export const MAX_DATA_PAYLOAD = 65_536;

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(MessageType));
const HEADER_BYTES = 5;
const EMPTY = Buffer.alloc(0);

export interface Message {
  type: number;
  payload: Buffer;
  /** The whole message as it came, for passing on. */
  raw: Buffer;
}

/** One message as one buffer. */
export function encodeMessage(type: number, payload: Uint8Array = EMPTY): Buffer {
  const bytes = Buffer.allocUnsafe(5 + payload.length);
  bytes.writeUInt32BE(payload.length + 1, 0);
  bytes[4] = type;
  bytes.set(payload, 5);
  return bytes;
}

export function encodeJsonMessage(type: number, value: unknown): Buffer {
  return encodeMessage(type, Buffer.from(JSON.stringify(value)));
}

export function encodeResize(rows: number, cols: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt16BE(rows, 0);
  payload.writeUInt16BE(cols, 2);
  return encodeMessage(MessageType.resize, payload);
}

/** Data split into messages no longer than a data payload may be. */
export function encodeData(type: number, data: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let start = 0; start < data.length; start += MAX_DATA_PAYLOAD) {
    messages.push(encodeMessage(type, data.subarray(start, start + MAX_DATA_PAYLOAD)));
  }
  return messages;
}

/** Cuts a byte stream into messages. Holds at most one unfinished message. */
export class MessageDecoder {
  /** The unfinished message: as it came while its header is incomplete, then a buffer of its whole length. */
  #held: Buffer = EMPTY;
  #size = 0;
  /** Bytes of the message under way, header included; 0 while the header itself is unfinished. */
  #wanted = 0;

  /**
   * The messages that `chunk` completes.
   * @throws ProtocolError on a length out of bounds or an unknown type; the decoder is then unusable.
   */
  push(chunk: Buffer): Message[] {
    const messages: Message[] = [];
    let rest = this.#resume(chunk, messages);
    while (rest.length >= HEADER_BYTES) {
      const total = messageSize(rest);
      if (rest.length < total) {
        this.#wanted = total;
        break;
      }
      messages.push(messageOf(rest.subarray(0, total)));
      rest = rest.subarray(total);
    }
    if (rest.length > 0) this.#hold(rest);
    return messages;
  }

  /** True between messages: a stream that ends elsewhere ended in the middle of one. */
  get idle(): boolean {
    return this.#size === 0;
  }

  /** What waits for the rest of its message. */
  get heldBytes(): number {
    return this.#size;
  }

  /** Puts the chunk to what is held; gives back what lies beyond the message that was under way. */
  #resume(chunk: Buffer, messages: Message[]): Buffer {
    if (this.#size === 0) return chunk;
    if (this.#wanted === 0) {
      const joined = Buffer.concat([this.#held, chunk]);
      this.#size = 0;
      return joined;
    }
    const taken = chunk.copy(this.#held, this.#size);
    this.#size += taken;
    if (this.#size === this.#wanted) {
      messages.push(messageOf(this.#held));
      this.#held = EMPTY;
      this.#size = 0;
      this.#wanted = 0;
    }
    return chunk.subarray(taken);
  }

  /** Keeps the start of a message. Copied to its place at once: a list of pieces would cost a guest's victim 200 bytes a byte. */
  #hold(rest: Buffer): void {
    this.#held = rest;
    this.#size = rest.length;
    if (this.#wanted === 0) return;
    this.#held = Buffer.allocUnsafe(this.#wanted);
    rest.copy(this.#held);
  }
}

/** Length of the message that starts here, header included. */
function messageSize(bytes: Buffer): number {
  const length = bytes.readUInt32BE(0);
  if (length < 1 || length > MAX_MESSAGE_LENGTH) {
    throw new ProtocolError(`message length ${length} is out of bounds`);
  }
  const type = bytes.readUInt8(4);
  if (!KNOWN_TYPES.has(type)) throw new ProtocolError(`unknown message type ${type}`);
  return 4 + length;
}

function messageOf(raw: Buffer): Message {
  return { type: raw.readUInt8(4), payload: raw.subarray(HEADER_BYTES), raw };
}
