/** One stream of the multiplexer: windows, queueing, half-close. */
import {
  FrameFlag,
  FrameType,
  INITIAL_WINDOW,
  MAX_WINDOW,
  ProtocolError,
  type FrameHeader,
} from './frames.ts';
import { OpeningReader, connectLine } from '../vsock/opening.ts';

const MAX_FRAME = 65_536;
const EMPTY = Buffer.alloc(0);

export interface StreamChannel {
  send: (header: FrameHeader, payload: Buffer) => void;
  /** True while the channel itself takes no more. */
  choked: () => boolean;
  closed: () => void;
}

/** What the user of a stream hears. Every byte passed to `data` must be given back by `consume`. */
export interface StreamListener {
  data: (chunk: Buffer) => void;
  end: () => void;
  /** Reset by the guest, refused, or the session is lost. Nothing follows. */
  error: (error: Error) => void;
  /** The queue of unsent bytes has emptied. */
  drain?: () => void;
}

export class MuxStream {
  readonly id: number;
  readonly #port: number;
  readonly #channel: StreamChannel;
  #listener: StreamListener | undefined;
  #sendWindow = INITIAL_WINDOW;
  #receiveWindow = INITIAL_WINDOW;
  #consumed = 0;
  #queue: Buffer[] = [];
  #queued = 0;
  #opening: OpeningReader | null = new OpeningReader();
  #endWanted = false;
  #endSent = false;
  #endReceived = false;
  #dead = false;

  constructor(id: number, port: number, channel: StreamChannel) {
    this.id = id;
    this.#port = port;
    this.#channel = channel;
  }

  /** Sends SYN and the CONNECT line. */
  connect(): void {
    const line = connectLine(this.#port);
    this.#sendWindow -= line.length;
    this.#channel.send(this.#frame(FrameType.data, FrameFlag.syn, line.length), line);
  }

  /** Must be called before the event loop turns after `open`. */
  listen(listener: StreamListener): void {
    this.#listener = listener;
  }

  /** Bytes accepted but not yet sent. Callers pause their source while it is large and go on at `drain`. */
  get queuedBytes(): number {
    return this.#queued;
  }

  write(chunk: Buffer): void {
    if (this.#dead || this.#endWanted || chunk.length === 0) return;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.flush();
  }

  /** Closes the sending half once the queue is sent. */
  end(): void {
    if (this.#dead || this.#endWanted) return;
    this.#endWanted = true;
    this.flush();
  }

  /** Drops the stream in both directions. */
  reset(): void {
    if (this.#dead) return;
    this.#channel.send(this.#frame(FrameType.windowUpdate, FrameFlag.rst, 0), EMPTY);
    this.#close();
  }

  /** Gives `bytes` of window back to the guest, in steps of half a window. */
  consume(bytes: number): void {
    this.#consumed += bytes;
    if (this.#dead || this.#endReceived || this.#consumed < INITIAL_WINDOW / 2) return;
    this.#receiveWindow += this.#consumed;
    this.#channel.send(this.#frame(FrameType.windowUpdate, 0, this.#consumed), EMPTY);
    this.#consumed = 0;
  }

  /** Sends what the window and the channel allow. */
  flush(): void {
    const had = this.#queued;
    while (this.#queued > 0 && this.#sendWindow > 0 && !this.#channel.choked()) {
      const head = this.#queue[0] ?? EMPTY;
      const size = Math.min(head.length, this.#sendWindow, MAX_FRAME);
      const part = head.subarray(0, size);
      if (size === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(size);
      this.#queued -= size;
      this.#sendWindow -= size;
      this.#channel.send(this.#frame(FrameType.data, 0, size), part);
    }
    if (this.#queued > 0 || this.#dead) return;
    if (this.#endWanted && !this.#endSent) {
      this.#endSent = true;
      this.#channel.send(this.#frame(FrameType.windowUpdate, FrameFlag.fin, 0), EMPTY);
      if (this.#endReceived) this.#close();
    }
    if (had > 0) this.#listener?.drain?.();
  }

  /** Books an incoming DATA frame against the window. */
  claim(bytes: number): void {
    if (bytes > this.#receiveWindow) throw new ProtocolError(`stream ${this.id} overran its window`);
    if (this.#endReceived && bytes > 0) throw new ProtocolError(`stream ${this.id} sent after its end`);
    this.#receiveWindow -= bytes;
  }

  /** The guest widens our sending window. */
  grant(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > MAX_WINDOW)
      throw new ProtocolError(`stream ${this.id} widened its window too far`);
    if (bytes > 0) this.flush();
  }

  receive(part: Buffer): void {
    if (this.#dead) return;
    if (this.#opening === null) {
      this.#listener?.data(part);
      return;
    }
    const step = this.#opening.push(part);
    if (step.kind === 'waiting') return;
    if (step.kind === 'endless') throw new ProtocolError('opening line too long');
    this.#opening = null;
    if (step.kind === 'open') {
      this.consume(step.answerBytes);
      if (step.rest.length > 0) this.#listener?.data(step.rest);
      return;
    }
    const line = step.line.toString('latin1', 0, 200).trimEnd();
    this.fail(new ProtocolError(`the agent refused port ${this.#port}: ${JSON.stringify(line)}`));
  }

  receiveEnd(): void {
    if (this.#dead || this.#endReceived) return;
    this.#endReceived = true;
    if (this.#endSent) this.#close();
    this.#listener?.end();
  }

  receiveReset(): void {
    this.fail(new Error(`stream ${this.id} was reset by the guest`));
  }

  fail(error: Error): void {
    if (this.#dead) return;
    this.#close();
    this.#listener?.error(error);
  }

  #close(): void {
    this.#dead = true;
    this.#queue = [];
    this.#queued = 0;
    this.#channel.closed();
  }

  #frame(type: number, flags: number, length: number): FrameHeader {
    return { type, flags, streamId: this.id, length };
  }
}
