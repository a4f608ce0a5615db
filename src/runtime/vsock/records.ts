/** The records of one exchange, the newest 16 MiB of them: a guest may send for ever. */
import type { VsockRecord } from './error.ts';

const KEPT_BYTES = 16 * 1024 * 1024;
/** What a record costs besides its bytes. */
const OVERHEAD = 128;

export class RecordLog {
  #records: VsockRecord[] = [];
  /** Index of the oldest record that counts; the array is cut now and then. */
  #first = 0;
  #size = 0;
  /** True once a record had to go. */
  truncated = false;

  add(record: VsockRecord): void {
    this.#records.push(record);
    this.#size += sizeOf(record);
    while (this.#size > KEPT_BYTES) this.#drop();
    if (this.#first > this.#records.length / 2) {
      this.#records = this.all();
      this.#first = 0;
    }
  }

  /** What is kept, oldest first. */
  all(): VsockRecord[] {
    return this.#records.slice(this.#first);
  }

  /** The bytes of the output records, in the order they came. */
  output(): Buffer {
    return Buffer.concat(this.all().flatMap((record) => (record.kind === 'log' ? [] : [record.bytes])));
  }

  #drop(): void {
    const oldest = this.#records[this.#first];
    this.#first += 1;
    this.truncated = true;
    this.#size -= oldest === undefined ? this.#size : sizeOf(oldest);
  }
}

function sizeOf(record: VsockRecord): number {
  const bytes = record.kind === 'log' ? record.message.length * 2 : record.bytes.length;
  return bytes + OVERHEAD;
}
