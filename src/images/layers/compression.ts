/** Takes the compression off a layer. What its bytes are decides, not its media type, which is often wrong: so does Docker. */
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

import { A3sError, hasErrno } from '../../errors.ts';
import { zstdFrames } from './zstd-frames.ts';

const OUTPUT_PIECE_BYTES = 128 * 1024;
/** How far the decoder's thread may run ahead of whoever takes its output: it would stop after every piece otherwise. */
const AHEAD_BYTES = 8 * OUTPUT_PIECE_BYTES;
/** Enough to tell each of them by. */
const MAGIC_BYTES = 6;

/** What zlib reports for bytes that it did not write. */
const DAMAGED = ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT'];

/** True for an error that says that compressed bytes make no sense. */
export function isDamage(error: unknown): boolean {
  if (hasErrno(error, ...DAMAGED)) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ZSTD_error_');
}

/**
 * A step of a pipeline that unpacks.
 * @param what for errors, e.g. `layer sha256:…`.
 * @throws A3sError `unsupported` naming it; an error that `isDamage` knows.
 */
export function unpacking(what: string) {
  return async function* unpack(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const pieces = source[Symbol.asyncIterator]();
    let head = Buffer.alloc(0);
    while (head.length < MAGIC_BYTES) {
      const { value, done } = await pieces.next();
      if (done === true) break;
      head = Buffer.concat([head, value]);
    }
    const whole = joined(head, pieces);
    const options = { chunkSize: OUTPUT_PIECE_BYTES, readableHighWaterMark: AHEAD_BYTES };
    if (startsWith(head, '1f8b')) yield* through(whole, createGunzip(options));
    else if (isZstd(head)) yield* through(zstdFrames(whole), createZstdDecompress(options));
    else if (startsWith(head, '425a68') || startsWith(head, 'fd377a585a00')) throw unknownForm(what);
    else yield* whole;
  };
}

/** A frame of data, or one of the sixteen kinds to skip (RFC 8878). */
function isZstd(head: Buffer): boolean {
  return (
    startsWith(head, '28b52ffd') || (head.length >= 4 && (head.readUInt32LE() & ~0xf) >>> 0 === 0x184d2a50)
  );
}

function startsWith(head: Buffer, hex: string): boolean {
  return head.subarray(0, hex.length / 2).equals(Buffer.from(hex, 'hex'));
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

async function* through(source: AsyncIterable<Buffer>, transform: Duplex): AsyncGenerator<Buffer> {
  const fed = pipeline(Readable.from(source), transform);
  // Its failure reaches the reader of `transform` as well.
  fed.catch(() => undefined);
  for await (const piece of transform) yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
  await fed;
}

function unknownForm(what: string): A3sError {
  return new A3sError('unsupported', `${what} is compressed with bzip2 or xz`, {
    hint: 'it may be plain tar, gzip or zstd',
  });
}
