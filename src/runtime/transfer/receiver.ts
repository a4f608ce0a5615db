/** The reading side of a transfer from the guest. */
import { A3sError } from '../../errors.ts';
import { IN_SLOT, SLOT_BYTES, SLOTS, type TransferDisk } from './disk.ts';

const WORD_BYTES = 4;
const ACKNOWLEDGEMENT = Buffer.of(0);

export class TransferReceiver {
  readonly #disk: TransferDisk;
  readonly #say: (bytes: Buffer) => void;
  readonly #slot = Buffer.allocUnsafe(SLOT_BYTES);
  #word = Buffer.alloc(0);
  /** Bytes of the stream that are content. */
  #following = 0;
  #next = 0;
  #used = false;
  #ended = false;

  /** @param say sends bytes to the guest's process: a byte for each slot that is free again. */
  constructor(disk: TransferDisk, say: (bytes: Buffer) => void) {
    this.#disk = disk;
    this.#say = say;
  }

  /** All of it has come: the guest's process waits for its input to end. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * The pieces that these bytes of the stream bring. Each is good until the next is asked for.
   * @throws A3sError `guest_protocol` for more than a slot holds and for what comes after the end, `io`.
   */
  *take(bytes: Buffer): Generator<Buffer, void, undefined> {
    for (let rest = bytes; rest.length > 0;) {
      if (this.#ended) throw new A3sError('guest_protocol', 'the box sent something after the end');
      if (this.#following > 0) {
        const piece = rest.subarray(0, this.#following);
        rest = rest.subarray(piece.length);
        this.#following -= piece.length;
        yield piece;
        continue;
      }
      const missing = WORD_BYTES - this.#word.length;
      this.#word = Buffer.concat([this.#word, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#word.length < WORD_BYTES) return;
      const value = this.#word.readUInt32BE();
      this.#word = Buffer.alloc(0);
      if (value > IN_SLOT) yield this.#read(value - IN_SLOT);
      else this.#said(value);
    }
  }

  #said(value: number): void {
    if (value > SLOT_BYTES) throw tooMuch(value);
    this.#following = value;
    if (value > 0) return;
    this.#ended = true;
    if (this.#used) this.#disk.clear();
  }

  #read(length: number): Buffer {
    if (length > SLOT_BYTES) throw tooMuch(length);
    const bytes = this.#slot.subarray(0, length);
    this.#disk.read(this.#next, bytes);
    this.#next = (this.#next + 1) % SLOTS;
    this.#used = true;
    this.#say(ACKNOWLEDGEMENT);
    return bytes;
  }
}

function tooMuch(length: number): A3sError {
  return new A3sError('guest_protocol', `the box sent a piece of ${length} bytes`);
}
