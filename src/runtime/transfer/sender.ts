/** The writing side of a transfer to the guest. */
import { A3sError } from '../../errors.ts';
import { IN_SLOT, LEAST_IN_SLOT, SLOT_BYTES, SLOTS, type TransferDisk } from './disk.ts';

const ACKNOWLEDGED = 0;

export class TransferSender {
  readonly #disk: TransferDisk;
  readonly #say: (bytes: Buffer) => void;
  /** What is too little to be written on its own. */
  readonly #gathered = Buffer.allocUnsafe(SLOT_BYTES);
  #filled = 0;
  #next = 0;
  #taken = 0;
  #used = false;
  #stopped = false;
  #wake = (): void => {};

  /** @param say sends bytes to the guest's process; at most a slot's worth is on its way so at any time. */
  constructor(disk: TransferDisk, say: (bytes: Buffer) => void) {
    this.#disk = disk;
    this.#say = say;
  }

  /** What the guest's process says: a byte for each slot that it gives back. @throws A3sError `guest_protocol`. */
  heard(bytes: Buffer): void {
    if (bytes.length > this.#taken || bytes.some((byte) => byte !== ACKNOWLEDGED)) {
      throw new A3sError('guest_protocol', 'the box gave back what it never had');
    }
    this.#taken -= bytes.length;
    this.#wake();
  }

  /** Nobody reads any more: whoever waits does so no longer, and nothing is sent. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Sends a piece, which may be used again once this has resolved. */
  async write(piece: Buffer): Promise<void> {
    if (piece.length < LEAST_IN_SLOT) {
      await this.#gather(piece);
      return;
    }
    // A large file's content so begins with a slot: the guest writes it to its disk from where it has read it.
    await this.#flush();
    for (let at = 0; at < piece.length; at += SLOT_BYTES) {
      await this.#slot(piece.subarray(at, at + SLOT_BYTES));
    }
  }

  /** There is no more. Resolves once the guest has read all of it, or reads no more. */
  async end(): Promise<void> {
    await this.#flush();
    while (this.#taken > 0 && !this.#stopped) await this.#change();
    if (this.#stopped) return;
    if (this.#used) this.#disk.clear();
    this.#word(0);
  }

  async #gather(piece: Buffer): Promise<void> {
    for (let at = 0; at < piece.length;) {
      const copied = piece.copy(this.#gathered, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled === SLOT_BYTES) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const bytes = this.#gathered.subarray(0, this.#filled);
    if (bytes.length >= LEAST_IN_SLOT) {
      await this.#slot(bytes);
    } else if (bytes.length > 0 && !this.#stopped) {
      this.#word(bytes.length);
      this.#say(Buffer.from(bytes));
    }
    this.#filled = 0;
  }

  async #slot(bytes: Buffer): Promise<void> {
    while (this.#taken === SLOTS && !this.#stopped) await this.#change();
    if (this.#stopped) return;
    this.#disk.write(this.#next, bytes);
    this.#used = true;
    this.#next = (this.#next + 1) % SLOTS;
    this.#taken += 1;
    this.#word(IN_SLOT + bytes.length);
  }

  #word(value: number): void {
    const word = Buffer.allocUnsafe(4);
    word.writeUInt32BE(value);
    this.#say(word);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
