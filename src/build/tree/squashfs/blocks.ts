/** The file of a squashfs: its superblock, and its blocks unpacked (Linux, fs/squashfs/squashfs_fs.h; squashfs 4.0 binary format). */
import { closeSync, openSync, readSync } from 'node:fs';

import { A3sError } from '../../../errors.ts';
import { unpackLz4 } from './lz4.ts';

const MAGIC = 0x73717368;
const SUPERBLOCK_BYTES = 96;
/** What tar2sqfs was told to use. */
const LZ4 = 5;
const METADATA_BYTES = 8192;
const METADATA_STORED = 0x8000;
const DATA_STORED = 1 << 24;
/** Metadata blocks that are kept unpacked: 8 MiB. */
const KEPT_BLOCKS = 1024;

/** No file is larger. */
const MAX_POSITION = 2 ** 48;

export interface Superblock {
  blockSize: number;
  fragments: number;
  ids: number;
  /** A reference. */
  rootInode: number;
  idTable: number;
  /** -1: no inode has extended attributes. */
  xattrTable: number;
  inodeTable: number;
  directoryTable: number;
  fragmentTable: number;
}

/** A metadata block, and where the one behind it starts. */
export interface MetadataBlock {
  bytes: Buffer;
  next: number;
}

/** An open squashfs. Everything in it is checked: what does not fit is `image_broken`. */
export class Blocks {
  readonly #path: string;
  readonly #file: number;
  readonly #metadata = new Map<number, MetadataBlock>();
  readonly superblock: Superblock;

  /** @throws A3sError `image_broken` when it is no squashfs of ours, errors of node:fs. */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'r');
    try {
      this.superblock = this.#readSuperblock();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  broken(what: string): A3sError {
    return new A3sError('image_broken', `cannot read the root filesystem ${this.#path}: ${what}`);
  }

  /** Bytes of the file. */
  read(position: number, length: number): Buffer {
    const bytes = this.#readUpTo(position, length);
    if (bytes.length !== length) throw this.broken('it ends too early');
    return bytes;
  }

  /** The metadata block at this place of the file. */
  metadata(position: number): MetadataBlock {
    const known = this.#metadata.get(position);
    if (known !== undefined) return known;
    const stored = this.#readUpTo(position, METADATA_BYTES + 2);
    if (stored.length < 2) throw this.broken('a metadata block is missing');
    const header = stored.readUInt16LE();
    const length = header & ~METADATA_STORED;
    const bytes = stored.subarray(2, 2 + length);
    if (length === 0 || length > METADATA_BYTES || bytes.length !== length) {
      throw this.broken('a metadata block has a bad size');
    }
    const isStored = (header & METADATA_STORED) !== 0;
    const block = {
      bytes: isStored ? bytes : this.#unpack(bytes, METADATA_BYTES),
      next: position + 2 + length,
    };
    if (this.#metadata.size >= KEPT_BLOCKS) {
      for (const oldest of this.#metadata.keys()) {
        this.#metadata.delete(oldest);
        break;
      }
    }
    this.#metadata.set(position, block);
    return block;
  }

  /** A data block. @param size as the inode has it: the top bit says that it is stored as it is. */
  data(position: number, size: number): Buffer {
    const { blockSize } = this.superblock;
    const length = size & (DATA_STORED - 1);
    if (length > blockSize) throw this.broken('a data block is too large');
    const bytes = this.read(position, length);
    return (size & DATA_STORED) === 0 ? this.#unpack(bytes, blockSize) : bytes;
  }

  #unpack(bytes: Buffer, size: number): Buffer {
    const unpacked = unpackLz4(bytes, size);
    if (unpacked === null) throw this.broken('a block cannot be unpacked');
    return unpacked;
  }

  #readUpTo(position: number, length: number): Buffer {
    if (!(position >= 0 && position <= MAX_POSITION)) throw this.broken('it points out of itself');
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.#file, bytes, filled, length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  #readSuperblock(): Superblock {
    const bytes = this.read(0, SUPERBLOCK_BYTES);
    if (bytes.readUInt32LE() !== MAGIC || bytes.readUInt16LE(28) !== 4)
      throw this.broken('it is no squashfs');
    if (bytes.readUInt16LE(20) !== LZ4) throw this.broken('its compression is not lz4');
    const blockSize = bytes.readUInt32LE(12);
    if (blockSize < 4096 || blockSize > 1 << 20) throw this.broken('it has a bad block size');
    const place = (offset: number): number => {
      const value = bytes.readBigUInt64LE(offset);
      if (value === 0xffff_ffff_ffff_ffffn) return -1;
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.broken('a table is out of reach');
      return Number(value);
    };
    return {
      blockSize,
      fragments: bytes.readUInt32LE(16),
      ids: bytes.readUInt16LE(26),
      rootInode: place(32),
      idTable: place(48),
      xattrTable: place(56),
      inodeTable: place(64),
      directoryTable: place(72),
      fragmentTable: place(80),
    };
  }
}
