/** How an archive crosses between a build and its stage's VM: by way of the transfer disk if the agent grants it, else over the stream. */
import { A3sError } from '../../errors.ts';
import { MessageType, encodeMessage } from '../../runtime/protocol/messages.ts';
import { TransferDisk } from '../../runtime/transfer/disk.ts';
import { TransferReceiver } from '../../runtime/transfer/receiver.ts';
import { TransferSender } from '../../runtime/transfer/sender.ts';
import type { ExchangeOptions, Taker } from './exchange.ts';

export class ArchiveWay {
  readonly #options: ExchangeOptions;
  readonly #send: (message: Buffer) => void;
  readonly #disk: TransferDisk | null;
  readonly #granted = Promise.withResolvers<TransferSender | null>();
  #sender: TransferSender | null = null;
  #taker: Taker | undefined;

  constructor(options: ExchangeOptions, send: (message: Buffer) => void) {
    this.#options = options;
    this.#send = send;
    this.#taker = options.stdout;
    this.#disk = options.transfer === undefined ? null : TransferDisk.open(options.transfer);
    if (this.#disk === null) this.#granted.resolve(null);
  }

  /** The request, with the wish for the disk. */
  asked(request: object): object {
    return this.#disk === null ? request : { ...request, transfer: true };
  }

  /** Null when the archive goes over the stream. Settles once the agent has said so. */
  get sender(): Promise<TransferSender | null> {
    return this.#granted.promise;
  }

  /** Who takes what the agent says on its output. */
  get taker(): Taker | undefined {
    return this.#taker;
  }

  /** The agent has started: it says whether it has the disk. */
  started(granted: boolean): void {
    if (this.#disk === null) return;
    if (!granted) {
      this.#granted.resolve(null);
      return;
    }
    if (this.#options.input === undefined) this.#taker = this.#receiving(this.#disk, this.#options.stdout);
    else this.#taker = this.#sending(this.#disk);
    this.#granted.resolve(this.#sender);
  }

  /** Nobody waits any more for room. */
  stop(): void {
    this.#sender?.stop();
    this.#granted.resolve(this.#sender);
  }

  close(): void {
    this.#disk?.close();
  }

  /** To the guest's process. */
  readonly #say = (bytes: Buffer): void => this.#send(encodeMessage(MessageType.stdin, bytes));

  #sending(disk: TransferDisk): Taker {
    const sender = new TransferSender(disk, this.#say);
    this.#sender = sender;
    return (bytes) => sender.heard(bytes);
  }

  #receiving(disk: TransferDisk, taker: Taker | undefined): Taker {
    const receiver = new TransferReceiver(disk, this.#say);
    return async (bytes) => {
      if (receiver.ended) throw new A3sError('guest_protocol', 'the box sent something after the end');
      for (const piece of receiver.take(bytes)) await taker?.(piece);
      if (receiver.ended) this.#send(encodeMessage(MessageType.stdinEof));
    };
  }
}
