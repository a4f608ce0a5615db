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
const LENGTH_BYTES = 4;
/** The length and the type. */
const HEADER_BYTES = 5;
const EMPTY = Buffer.alloc(0);

export interface Message {
  type: number;
  payload: Buffer;
  /** The whole message as it came, for passing on; of one that is given in parts, what came of it. */
  raw: Buffer;
}

/** One message as one buffer. */
export function encodeMessage(type: number, payload: Uint8Array = EMPTY): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  writeHead(bytes, type, payload.length);
  bytes.set(payload, HEADER_BYTES);
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
  return payloadsOf(data).map((payload) => encodeMessage(type, payload));
}

/** The same as heads and payloads in turn, without a copy of the data. */
export function frameData(type: number, data: Buffer): Buffer[] {
  return payloadsOf(data).flatMap((payload) => [encodeHead(type, payload.length), payload]);
}

function payloadsOf(data: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let start = 0; start < data.length; start += MAX_DATA_PAYLOAD) {
    payloads.push(data.subarray(start, start + MAX_DATA_PAYLOAD));
  }
  return payloads;
}

/** Cuts a byte stream into messages. Holds at most one unfinished message. */
export class MessageDecoder {
  readonly #inParts: ReadonlySet<number>;
  /** The message that is given in parts, and the bytes that it still lacks. */
  #open = { type: 0, missing: 0 };
  /** The unfinished message: as it came while its length is incomplete, then a buffer of its whole size. */
  #held: Buffer = EMPTY;
  #size = 0;
  /** Bytes of the message under way, its length included; 0 while that itself is unfinished. */
  #wanted = 0;

  /** @param inParts types of which only the bytes matter: a message that came in parts is given as so many, without a copy */
  constructor(inParts: readonly number[] = []) {
    this.#inParts = new Set(inParts);
  }

  /**
   * The messages that `chunk` completes, one after the other: those before a bad one are heard. All must be taken, or none be
   * wanted any more.
   * @throws ProtocolError with the bytes at fault: a length out of bounds at once, an unknown type once its message is whole; the
   *   decoder is then unusable.
   */
  *decode(chunk: Buffer): Generator<Message, void, undefined> {
    let rest = chunk;
    if (this.#open.missing > 0) {
      const part = chunk.subarray(0, this.#open.missing);
      rest = chunk.subarray(part.length);
      this.#open.missing -= part.length;
      if (part.length > 0) yield { type: this.#open.type, payload: part, raw: part };
    } else if (this.#wanted > 0) {
      const taken = chunk.copy(this.#held, this.#size);
      this.#size += taken;
      if (this.#size < this.#wanted) return;
      rest = chunk.subarray(taken);
      yield messageOf(this.#release());
    } else if (this.#size > 0) {
      rest = Buffer.concat([this.#release(), chunk]);
    }
    while (rest.length >= LENGTH_BYTES) {
      const total = messageSize(rest);
      if (rest.length < total) {
        const type = rest[LENGTH_BYTES];
        if (type !== undefined && this.#inParts.has(type)) {
          this.#open = { type, missing: total - rest.length };
          if (rest.length > HEADER_BYTES) yield { type, payload: rest.subarray(HEADER_BYTES), raw: rest };
          return;
        }
        this.#wanted = total;
        break;
      }
      yield messageOf(rest.subarray(0, total));
      rest = rest.subarray(total);
    }
    if (rest.length > 0) this.#hold(rest);
  }

  /** True between messages: a stream that ends elsewhere ended in the middle of one. */
  get idle(): boolean {
    return this.#size === 0 && this.#open.missing === 0;
  }

  /** What waits for the rest of its message. */
  get heldBytes(): number {
    return this.#size;
  }

  #release(): Buffer {
    const held = this.#held;
    this.#held = EMPTY;
    this.#size = 0;
    this.#wanted = 0;
    return held;
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

function encodeHead(type: number, payloadLength: number): Buffer {
  const head = Buffer.allocUnsafe(HEADER_BYTES);
  writeHead(head, type, payloadLength);
  return head;
}

function writeHead(bytes: Buffer, type: number, payloadLength: number): void {
  bytes.writeUInt32BE(payloadLength + 1, 0);
  bytes[LENGTH_BYTES] = type;
}

/** Size of the message that starts here, its length included. */
function messageSize(bytes: Buffer): number {
  const length = bytes.readUInt32BE(0);
  if (length < 1 || length > MAX_MESSAGE_LENGTH) {
    throw new ProtocolError(`message length ${length} is out of bounds`, bytes.subarray(0, LENGTH_BYTES));
  }
  return LENGTH_BYTES + length;
}

function messageOf(raw: Buffer): Message {
  const type = raw.readUInt8(LENGTH_BYTES);
  if (!KNOWN_TYPES.has(type)) throw new ProtocolError(`unknown message type ${type}`, raw);
  return { type, payload: raw.subarray(HEADER_BYTES), raw };
}
