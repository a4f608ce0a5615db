import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { blobPath } from '../../../../src/images/store.ts';
import { type BlobWriter, hasBlob, ingestBlob } from '../../../../src/images/store/ingest.ts';
import { type Layout, layoutOf } from '../../../../src/state/layout.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { blobOf } from '../registry/blobs.ts';

const blob = blobOf(100_000);
const half = blob.bytes.subarray(0, 50_000);

const store = (): Layout => layoutOf(join(temporaryDirectory(), 'home'));
const partials = ({ ingestDir }: Layout): string[] => (existsSync(ingestDir) ? readdirSync(ingestDir) : []);
const whole = (writer: BlobWriter): Promise<void> => writer.write(blob.bytes.subarray(writer.offset));
const broken = new Error('the connection broke');

test('a blob arrives once', async () => {
  const layout = store();
  expect(await ingestBlob(layout, blob, whole)).toBe(true);
  expect(await ingestBlob(layout, blob, () => Promise.reject(broken))).toBe(false);
  expect(readFileSync(blobPath(layout.imagesDir, blob.digest)).equals(blob.bytes)).toBe(true);
  expect(partials(layout)).toEqual([]);
});

test('what had arrived when it broke is gone on from', async () => {
  const layout = store();
  const breaking = ingestBlob(layout, blob, async (writer) => {
    await writer.write(half);
    throw broken;
  });
  await expect(breaking).rejects.toBe(broken);
  expect(hasBlob(layout, blob.digest, blob.size)).toBe(false);
  let offset = -1;
  await ingestBlob(layout, blob, async (writer) => {
    offset = writer.offset;
    await whole(writer);
  });
  expect(offset).toBe(half.length);
  expect(hasBlob(layout, blob.digest, blob.size)).toBe(true);
});

test('a sender that cannot go on starts anew', async () => {
  const layout = store();
  mkdirSync(layout.ingestDir, { recursive: true });
  writeFileSync(join(layout.ingestDir, blob.digest.slice(7)), half);
  await ingestBlob(layout, blob, async (writer) => {
    await writer.restart();
    expect(writer.offset).toBe(0);
    await whole(writer);
  });
  expect(hasBlob(layout, blob.digest, blob.size)).toBe(true);
});

test.each([
  [
    'other bytes',
    blobOf(100_000, 'other').bytes,
    /^the 100000 bytes that came have the digest sha256:\w{64}$/,
  ],
  ['too few', half, /^the 50000 bytes that came have the digest sha256:\w{64}$/],
  ['too many', Buffer.concat([blob.bytes, half]), /^more than the 100000 bytes that its manifest tells of$/],
])('%s are refused, and nothing of them is kept', async (_, bytes, message) => {
  const layout = store();
  await expect(ingestBlob(layout, blob, (writer) => writer.write(bytes))).rejects.toMatchObject({
    code: 'image_broken',
    message: expect.stringMatching(message),
  });
  expect(partials(layout)).toEqual([]);
  expect(hasBlob(layout, blob.digest, blob.size)).toBe(false);
});

test('a longer leftover than the blob is thrown away', async () => {
  const layout = store();
  mkdirSync(layout.ingestDir, { recursive: true });
  writeFileSync(join(layout.ingestDir, blob.digest.slice(7)), Buffer.alloc(blob.size + 1));
  await ingestBlob(layout, blob, whole);
  expect(hasBlob(layout, blob.digest, blob.size)).toBe(true);
});

test('of several at once one works, the others find it done', async () => {
  const layout = store();
  let filled = 0;
  const results = await Promise.all(
    Array.from({ length: 4 }, () =>
      ingestBlob(layout, blob, async (writer) => {
        filled += 1;
        await whole(writer);
      }),
    ),
  );
  expect(filled).toBe(1);
  expect(results.filter((added) => added)).toHaveLength(1);
});

test('who waits for another can give up', async () => {
  const layout = store();
  const giveUp = new AbortController();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let begun = (): void => {};
  const started = new Promise<void>((resolve) => (begun = resolve));
  const first = ingestBlob(layout, blob, async (writer) => {
    begun();
    await held;
    await whole(writer);
  });
  await started;
  const second = ingestBlob(layout, { ...blob, signal: giveUp.signal }, whole);
  giveUp.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  release();
  expect(await first).toBe(true);
});

test('an empty blob is a blob', async () => {
  const layout = store();
  const empty = blobOf(0);
  expect(await ingestBlob(layout, empty, () => Promise.resolve())).toBe(true);
  expect(hasBlob(layout, empty.digest, 0)).toBe(true);
});
