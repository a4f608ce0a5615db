/**
 * A VM's transfer disk: a small file of the host by way of which archives cross, because the guest channel costs several times what
 * a disk costs. docs/protocol.md, "transfer disk". The guest may write anything to it at any time: what is read is copied, then judged.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

import { A3sError, hasErrno } from '../../errors.ts';
import { MAX_WRITE } from '../../holed-file.ts';

/** What a slot holds, and how many there are. */
export const SLOT_BYTES = 4 * 1024 * 1024;
export const SLOTS = 4;
/** Of a word: so many bytes are in the next slot. Without it they follow. */
export const IN_SLOT = 0x8000_0000;
/** Fewer bytes than this are not worth a slot. */
export const LEAST_IN_SLOT = 64 * 1024;

const BYTES = SLOT_BYTES * SLOTS;
/** Without rights for anybody else, as all of a box's files. */
const MODE = 0o600;

/** Makes the file, all of it a hole, or makes it whole again. */
export function provideTransfer(path: string): void {
  const file = openSync(path, 'a', MODE);
  try {
    ftruncateSync(file, BYTES);
  } finally {
    closeSync(file);
  }
}

export class TransferDisk {
  #file: number | null;

  private constructor(file: number) {
    this.#file = file;
  }

  /** The disk at `path`; null for a VM that has none, as those of older versions. */
  static open(path: string): TransferDisk | null {
    try {
      const file = openSync(path, 'r+');
      if (fstatSync(file).size === BYTES) return new TransferDisk(file);
      closeSync(file);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
    return null;
  }

  /** Fills `bytes` from the beginning of a slot. @throws A3sError `io` when the file is not whole. */
  read(slot: number, bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.#open(), bytes, done, bytes.length - done, slot * SLOT_BYTES + done);
      if (count === 0) throw new A3sError('io', "the box's transfer disk is not whole");
      done += count;
    }
  }

  write(slot: number, bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const size = Math.min(bytes.length - done, MAX_WRITE);
      done += writeSync(this.#open(), bytes, done, size, slot * SLOT_BYTES + done);
    }
  }

  /** Takes no more room. For whoever still has the disk to itself. */
  clear(): void {
    ftruncateSync(this.#open(), 0);
    ftruncateSync(this.#open(), BYTES);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #open(): number {
    if (this.#file === null) throw new A3sError('io', 'the connection to the box was lost');
    return this.#file;
  }
}
