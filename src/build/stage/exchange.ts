/** One request to a stage's agent, with what it takes in and gives out. */
import { A3sError } from '../../errors.ts';
import type { AgentLink, ControlStream } from '../../runtime/agent-link.ts';
import type { ProcessResult } from '../../runtime/process-session.ts';
import { guestText } from '../../runtime/protocol/guest-text.ts';
import { MessageType, encodeData, encodeMessage } from '../../runtime/protocol/messages.ts';
import { ArchiveWay } from './archive-way.ts';

/** Input that may wait for the guest. */
const HIGH_WATER = 512 * 1024;
const MAX_COMPLAINT = 4096;

export type Taker = (bytes: Buffer) => void | Promise<void>;

export interface ExchangeOptions {
  /** What the guest's process reads. */
  input?: AsyncIterable<Buffer>;
  started?: () => void;
  /** Takes output; the guest waits while many of these have not settled. */
  stdout?: Taker;
  /** Without it a failure's words are gathered. */
  stderr?: Taker;
  /** The VM's transfer disk, for an archive that is sent or received. */
  transfer?: string;
  /** Gives up when neither side has said anything for so long; undefined waits for ever. */
  idleMs?: number;
}

export interface Exchanged {
  result: ProcessResult;
  /** What the guest had to say on stderr, when nobody else took it. */
  complaint: string;
}

/**
 * Sends the request and everything it takes, and waits for its RESULT and for whoever takes the output.
 * @throws A3sError `guest_protocol` when the session breaks, `timeout`; what input and output throw, after the stream was dropped.
 */
export async function exchange(
  link: AgentLink,
  request: object,
  options: ExchangeOptions = {},
): Promise<Exchanged> {
  const work = new Exchange(link, request, options);
  try {
    return await work.done();
  } catch (error) {
    work.stream.reset();
    throw error;
  } finally {
    work.stop();
  }
}

class Exchange {
  readonly stream: ControlStream;
  readonly #options: ExchangeOptions;
  /** An archive's way, once the guest has said which. */
  readonly #archive: ArchiveWay;
  readonly #end = Promise.withResolvers<ProcessResult>();
  #isOver = false;
  #drained: (() => void) | undefined;
  #complaint = '';
  /** Output on its way to whoever takes it. */
  #output: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(link: AgentLink, request: object, options: ExchangeOptions) {
    this.#options = options;
    this.#end.promise.catch(() => {});
    this.#watch();
    this.#archive = new ArchiveWay(options, (message) => this.stream.send(message));
    this.stream = link.control(this.#archive.asked(request), {
      said: (said) => {
        this.#watch();
        if (said.kind === 'started') {
          this.#archive.started(said.transfer);
          options.started?.();
        } else if (said.kind === 'stdout') this.#take(said.message.payload, this.#archive.taker);
        else if (said.kind === 'stderr') this.#take(said.message.payload, options.stderr ?? this.#complain);
        else if (said.kind === 'result') this.#finish(() => this.#end.resolve(said.result));
      },
      error: (cause) => {
        const error =
          cause instanceof A3sError ? cause : new A3sError('guest_protocol', cause.message, { cause });
        this.#finish(() => this.#end.reject(error));
      },
    });
    this.stream.onDrain(() => this.#drained?.());
  }

  async done(): Promise<Exchanged> {
    const [result] = await Promise.all([this.#end.promise, this.#feed()]);
    await this.#output;
    return { result, complaint: guestText(this.#complaint.slice(0, MAX_COMPLAINT)) };
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#archive.stop();
    this.#archive.close();
    this.#drained?.();
  }

  #finish(settle: () => void): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#archive.stop();
    settle();
    this.#drained?.();
  }

  readonly #complain = (bytes: Buffer): void => {
    if (this.#complaint.length < MAX_COMPLAINT) this.#complaint += bytes.toString('utf8');
  };

  /** In order; window is given back once the bytes are taken. */
  #take(bytes: Buffer, taker: Taker | undefined): void {
    this.#output = this.#pass(this.#output, bytes, taker);
    this.#output.catch((error: unknown) => this.#finish(() => this.#end.reject(error)));
  }

  async #pass(before: Promise<void>, bytes: Buffer, taker: Taker | undefined): Promise<void> {
    await before;
    await taker?.(bytes);
    this.#watch();
    this.stream.consume(bytes.length);
  }

  async #feed(): Promise<void> {
    const { input } = this.#options;
    if (input === undefined) return;
    const sender = await this.#archive.sender;
    for await (const chunk of input) {
      if (this.#isOver) return;
      if (sender !== null) await sender.write(chunk);
      else for (const message of encodeData(MessageType.stdin, chunk)) this.stream.send(message);
      this.#watch();
      if (this.stream.queuedBytes > HIGH_WATER) await this.#drain();
    }
    await sender?.end();
    if (!this.#isOver) this.stream.send(encodeMessage(MessageType.stdinEof));
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = () => {
        this.#drained = undefined;
        resolve();
      };
      if (this.#isOver) this.#drained();
    });
  }

  #watch(): void {
    const { idleMs } = this.#options;
    if (idleMs === undefined || this.#isOver) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const error = new A3sError('timeout', `the guest agent was silent for ${idleMs / 1000} s`);
      this.#finish(() => this.#end.reject(error));
    }, idleMs);
  }
}
