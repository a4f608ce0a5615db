/**
 * Cuts zstd data at the ends of its frames (RFC 8878, section 3.1). Node's decoder stops at the end of a frame and drops what else it was
 * given with it, and layers come in many frames: zstd:chunked makes one for each file.
 */

const DATA_MAGIC = 0xfd2fb528;
const SKIPPED_MAGIC = 0x184d2a50;

/** What the next bytes are. */
type State = 'magic' | 'descriptor' | 'header' | 'block' | 'content' | 'checksum' | 'skipSize' | 'skip';

/** Passes everything on, no piece with parts of two frames. */
export async function* zstdFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const scanner = new FrameScanner();
  for await (const piece of source) yield* scanner.cut(piece);
  scanner.end();
}

class FrameScanner {
  #state: State = 'magic';
  /** Bytes still to come of a fixed-size field, and those of it that came. */
  #field = Buffer.alloc(4);
  #fieldLength = 0;
  #remaining = 4;
  #isLast = false;
  #hasChecksum = false;

  *cut(piece: Buffer): Generator<Buffer> {
    let start = 0;
    let at = 0;
    while (at < piece.length) {
      const taken = Math.min(this.#remaining, piece.length - at);
      if (this.#state !== 'content' && this.#state !== 'skip' && this.#fieldLength < 4) {
        this.#fieldLength += piece.copy(this.#field, this.#fieldLength, at, at + taken);
      }
      at += taken;
      this.#remaining -= taken;
      if (this.#remaining > 0) break;
      this.#advance();
      if (this.#state === 'magic') {
        yield piece.subarray(start, at);
        start = at;
      }
    }
    if (start < piece.length) yield piece.subarray(start);
  }

  end(): void {
    if (this.#state !== 'magic' || this.#fieldLength > 0) throw damaged();
  }

  #advance(): void {
    const value = this.#field.readUInt32LE();
    this.#fieldLength = 0;
    switch (this.#state) {
      case 'magic':
        if (value === DATA_MAGIC) return this.#expect('descriptor', 1);
        if ((value & ~0xf) >>> 0 === SKIPPED_MAGIC) return this.#expect('skipSize', 4);
        throw damaged();
      case 'descriptor':
        return this.#descriptor(value & 0xff);
      case 'header':
        return this.#expect('block', 3);
      case 'block':
        return this.#block(value & 0xffffff);
      case 'content':
        return this.#afterBlock();
      case 'skipSize':
        return value === 0 ? this.#expect('magic', 4) : this.#expect('skip', value);
      case 'checksum':
      case 'skip':
        return this.#expect('magic', 4);
    }
  }

  #descriptor(flags: number): void {
    const isSingleSegment = (flags & 0x20) !== 0;
    const sizeFlag = flags >> 6;
    const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag;
    const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
    this.#hasChecksum = (flags & 4) !== 0;
    const length = Number(!isSingleSegment) + sizeBytes + dictionaryBytes;
    this.#expect('header', length);
  }

  #block(header: number): void {
    this.#isLast = (header & 1) !== 0;
    // A run-length block holds one byte, whatever its size.
    const size = ((header >> 1) & 3) === 1 ? 1 : header >> 3;
    if (size === 0) this.#afterBlock();
    else this.#expect('content', size);
  }

  #afterBlock(): void {
    if (!this.#isLast) this.#expect('block', 3);
    else if (this.#hasChecksum) this.#expect('checksum', 4);
    else this.#expect('magic', 4);
  }

  #expect(state: State, bytes: number): void {
    this.#state = state;
    this.#remaining = bytes;
  }
}

function damaged(): Error {
  return Object.assign(new Error('not a sound zstd stream'), { code: 'ZSTD_error_prefix_unknown' });
}
