/** Reads numbers and bytes that may lie across metadata blocks. */
import type { Blocks, MetadataBlock } from './blocks.ts';

/** Bytes in front of a metadata block's offset in a reference. */
const OFFSET_RANGE = 65_536;

export class Cursor {
  readonly #blocks: Blocks;
  #block: MetadataBlock;
  #at: number;

  /**
   * @param table where the table begins in the file
   * @param reference block and offset in it, as squashfs packs them: 48 bits, the lower 16 for the offset
   */
  constructor(blocks: Blocks, table: number, reference: number) {
    this.#blocks = blocks;
    this.#block = blocks.metadata(table + Math.floor(reference / OFFSET_RANGE));
    this.#at = reference % OFFSET_RANGE;
  }

  u16(): number {
    return this.bytes(2).readUInt16LE();
  }

  i16(): number {
    return this.bytes(2).readInt16LE();
  }

  u32(): number {
    return this.bytes(4).readUInt32LE();
  }

  u64(): number {
    const value = this.bytes(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#blocks.broken('a number is too large');
    return Number(value);
  }

  bytes(length: number): Buffer {
    const { bytes } = this.#block;
    if (this.#at + length <= bytes.length) {
      this.#at += length;
      return bytes.subarray(this.#at - length, this.#at);
    }
    const pieces: Buffer[] = [];
    for (let left = length; left > 0;) {
      const piece = this.#block.bytes.subarray(this.#at, this.#at + left);
      pieces.push(piece);
      left -= piece.length;
      this.#at += piece.length;
      if (left === 0) break;
      this.#block = this.#blocks.metadata(this.#block.next);
      this.#at = 0;
    }
    return Buffer.concat(pieces);
  }
}
