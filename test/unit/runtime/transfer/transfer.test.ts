import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { provideTransfer, SLOT_BYTES, SLOTS, TransferDisk } from '../../../../src/runtime/transfer/disk.ts';
import { TransferReceiver } from '../../../../src/runtime/transfer/receiver.ts';
import { TransferSender } from '../../../../src/runtime/transfer/sender.ts';
import { temporaryDirectory } from '../../../temporary.ts';

let directory: string;
let path: string;
let disk: TransferDisk;

function opened(): TransferDisk {
  const found = TransferDisk.open(path);
  if (found === null) throw new Error('there is no transfer disk');
  return found;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const IN_SLOT = 2 ** 31;
const pattern = (size: number, seed: number): Buffer => Buffer.alloc(size, `piece ${seed} of many, `);

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory, 'transfer');
  provideTransfer(path);
  disk = opened();
});

afterEach(() => {
  disk.close();
});

test('what is sent is received, and the disk takes no room in the end', async () => {
  const received: Buffer[] = [];
  let ended = false;
  const receiver = new TransferReceiver(disk, () => queueMicrotask(() => sender.heard(Buffer.of(0))));
  const sender = new TransferSender(disk, (bytes) => {
    // In the smallest pieces that a stream can come in.
    for (const byte of bytes) {
      for (const piece of receiver.take(Buffer.of(byte))) received.push(Buffer.from(piece));
    }
    ended = receiver.ended;
  });
  const sent = [512, 3 * SLOT_BYTES + 5, 10, 70_000, SLOT_BYTES, 1, 2 * SLOT_BYTES].map(pattern);
  for (const piece of sent) await sender.write(piece);
  expect(ended).toBe(false);
  await sender.end();
  expect(ended).toBe(true);
  expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  const { size, blocks } = statSync(path);
  expect({ size, blocks }).toEqual({ size: SLOTS * SLOT_BYTES, blocks: 0 });
});

test('a sender waits for a slot, and for nothing once it is stopped', async () => {
  const words: Buffer[] = [];
  const sender = new TransferSender(disk, (bytes) => void words.push(bytes));
  const piece = pattern(SLOT_BYTES, 1);
  for (let slot = 0; slot < SLOTS; slot += 1) await sender.write(piece);
  const full = words.length;
  const waiting = sender.write(piece);
  expect(words.length).toBe(full);
  sender.heard(Buffer.of(0));
  await waiting;
  expect(words.length).toBe(full + 1);
  const given = sender.write(piece);
  sender.stop();
  await given;
  await sender.end();
  expect(words.length).toBe(full + 1);
});

test('a guest that gives back what it never had is refused', async () => {
  const sender = new TransferSender(disk, () => {});
  await sender.write(pattern(SLOT_BYTES, 1));
  expect(() => sender.heard(Buffer.of(1))).toThrow('the box gave back what it never had');
  expect(() => sender.heard(Buffer.of(0, 0))).toThrow('the box gave back what it never had');
});

test.each([
  ['more than a slot holds', [word(IN_SLOT + SLOT_BYTES + 1)]],
  ['nothing in a slot', [word(IN_SLOT)]],
  ['more than may follow', [word(SLOT_BYTES + 1)]],
  ['something after the end', [word(0), Buffer.of(1)]],
])('a guest that sends %s is refused', (_what, said) => {
  const receiver = new TransferReceiver(disk, () => {});
  expect(() => said.forEach((bytes) => [...receiver.take(bytes)])).toThrow(/^the box sent /);
});

test('a disk that is cut short, or not there, is not used', () => {
  const receiver = new TransferReceiver(disk, () => {});
  truncateSync(path, 100);
  expect(() => [...receiver.take(word(IN_SLOT + 4096))]).toThrow("the box's transfer disk is not whole");
  expect(TransferDisk.open(path)).toBe(null);
  rmSync(path);
  expect(TransferDisk.open(path)).toBe(null);
});
