/** The host's end of the multiplexer on the guest channel: docs/protocol.md, section 2. Memory is bounded by the windows. */
import {
  FRAME_HEADER_BYTES,
  FrameFlag,
  FrameType,
  MAX_WINDOW,
  ProtocolError,
  decodeFrameHeader,
  encodeFrameHeader,
  type FrameHeader,
} from './frames.ts';
import { MuxStream } from './mux-stream.ts';

const MAX_STREAMS = 256;
const EMPTY = Buffer.alloc(0);

export interface MuxEvents {
  /** Writes to the channel; false when the channel wants a pause (`Mux.channelDrained` ends it). */
  write: (bytes: Buffer) => boolean;
  /** The agent said GO_AWAY with this code. */
  goAway: (code: number) => void;
}

export class Mux {
  readonly #events: MuxEvents;
  readonly #streams = new Map<number, MuxStream>();
  #nextId = 1;
  #header = EMPTY;
  /** The DATA frame whose payload is being read, and how much of it is missing. */
  #stream: MuxStream | undefined;
  #missing = 0;
  #fin = false;
  #choked = false;

  constructor(events: MuxEvents) {
    this.#events = events;
  }

  /** Opens a stream and asks for the guest port behind it; data may be written at once. */
  open(port: number): MuxStream {
    if (this.#streams.size >= MAX_STREAMS) throw new ProtocolError('too many open streams');
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new MuxStream(id, port, {
      send: (header, payload) => this.#send(header, payload),
      choked: () => this.#choked,
      closed: () => this.#streams.delete(id),
    });
    this.#streams.set(id, stream);
    stream.connect();
    return stream;
  }

  /**
   * Takes bytes that arrived on the channel.
   * @throws ProtocolError when the guest broke the protocol: the caller must end the session.
   */
  receive(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#missing > 0) {
        rest = this.#payload(rest);
        continue;
      }
      const need = FRAME_HEADER_BYTES - this.#header.length;
      if (rest.length < need) {
        this.#header = Buffer.concat([this.#header, rest]);
        return;
      }
      const bytes = this.#header.length === 0 ? rest : Buffer.concat([this.#header, rest.subarray(0, need)]);
      rest = rest.subarray(need);
      this.#header = EMPTY;
      this.#frame(decodeFrameHeader(bytes));
    }
  }

  /** The channel accepts writes again: streams go on in turn. */
  channelDrained(): void {
    this.#choked = false;
    for (const stream of this.#streams.values()) {
      if (this.#choked) return;
      stream.flush();
    }
  }

  /** Ends every stream with this error: the channel is gone. */
  fail(error: Error): void {
    for (const stream of this.#streams.values()) stream.fail(error);
    this.#streams.clear();
  }

  #payload(rest: Buffer): Buffer {
    const part = rest.subarray(0, this.#missing);
    this.#missing -= part.length;
    this.#stream?.receive(part);
    if (this.#missing === 0) {
      if (this.#fin) this.#stream?.receiveEnd();
      this.#stream = undefined;
    }
    return rest.subarray(part.length);
  }

  #frame(header: FrameHeader): void {
    if (header.type === FrameType.ping) {
      // While the channel is full no answer is queued: a guest that floods pings without reading must not grow our memory.
      if ((header.flags & FrameFlag.syn) !== 0 && !this.#choked) {
        this.#send({ ...header, flags: FrameFlag.ack }, EMPTY);
      }
      return;
    }
    if (header.type === FrameType.goAway) {
      this.#events.goAway(header.length);
      return;
    }
    this.#streamFrame(header);
  }

  #streamFrame(header: FrameHeader): void {
    const { streamId, flags } = header;
    if ((flags & FrameFlag.syn) !== 0) throw new ProtocolError('the guest opened a stream');
    if (streamId % 2 === 0 || streamId >= this.#nextId) {
      throw new ProtocolError(`frame for stream ${streamId}, which was never opened`);
    }
    const stream = this.#streams.get(streamId);
    const isData = header.type === FrameType.data;
    if (isData && header.length > MAX_WINDOW) throw new ProtocolError('frame beyond any window');
    if (isData) stream?.claim(header.length);
    else stream?.grant(header.length);
    if ((flags & FrameFlag.rst) !== 0) stream?.receiveReset();
    const fin = (flags & FrameFlag.fin) !== 0;
    if (isData && header.length > 0) {
      this.#stream = stream;
      this.#missing = header.length;
      this.#fin = fin;
    } else if (fin) {
      stream?.receiveEnd();
    }
  }

  #send(header: FrameHeader, payload: Buffer): void {
    const head = encodeFrameHeader(header);
    let open = this.#events.write(head);
    if (payload.length > 0) open = this.#events.write(payload);
    if (!open) this.#choked = true;
  }
}
