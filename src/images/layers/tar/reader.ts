/**
 * Reads a tar in whatever pieces it comes. Bytes go in, entries and their content come out at once, so that nothing is
 * kept but one header; whoever pushes waits for whoever takes.
 * What is tolerated is what Go's archive/tar tolerates: bytes after the end, no end at all, no padding at the end.
 */
import { type Budget, MAX_HEADER_BYTES, quoted } from '../limits.ts';
import { type Segment, storedBytes, type TarEntry } from './entry.ts';
import { BLOCK, type Header, isZero, readHeader } from './header.ts';
import { type Extensions, type Member, memberOf } from './member.ts';
import { headerNumber } from './number.ts';
import { NO_PAX, parsePax, type Pax } from './pax.ts';
import { oldSparsePairs, paxSparseNumbers, segmentsOf, SparseMap } from './sparse.ts';

export interface TarHandler {
  entry(entry: TarEntry): void;
  /** The next bytes of the last entry's content, without its holes. */
  content(bytes: Buffer): void;
}

/** A member whose map of holes is still being read. */
interface Unfinished {
  member: Member;
  pax: Pax;
  numbers: number[];
  map: SparseMap | null;
}

const NOTHING: Extensions = { pax: NO_PAX, longName: null, longLink: null };

export class TarReader {
  readonly #error: (what: string) => Error;
  readonly #budget: Budget;
  readonly #handler: TarHandler;
  readonly #partial = Buffer.alloc(BLOCK);
  #partialLength = 0;
  #content = 0;
  #padding = 0;
  #zeroBlocks = 0;
  #extensions = NOTHING;
  #unfinished: Unfinished | null = null;
  #collecting: { typeflag: string; bytes: Buffer; filled: number } | null = null;

  /** @param error makes the error of what is wrong, naming what is read. */
  constructor(error: (what: string) => Error, budget: Budget, handler: TarHandler) {
    this.#error = error;
    this.#budget = budget;
    this.#handler = handler;
  }

  /** @throws what `error` makes, naming the entry. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && this.#zeroBlocks < 2;) {
      if (this.#content > 0) {
        const piece = chunk.subarray(at, at + this.#content);
        at += piece.length;
        this.#take(piece);
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
      } else if (this.#partialLength === 0 && chunk.length - at >= BLOCK) {
        this.#block(chunk.subarray(at, at + BLOCK));
        at += BLOCK;
      } else {
        const copied = chunk.copy(this.#partial, this.#partialLength, at);
        this.#partialLength += copied;
        at += copied;
        if (this.#partialLength < BLOCK) return;
        this.#partialLength = 0;
        this.#block(this.#partial);
      }
    }
  }

  /** Call it after the last byte. */
  end(): void {
    const isInside = this.#content + this.#partialLength > 0 || this.#unfinished !== null;
    if (isInside || this.#extensions !== NOTHING) throw this.#fail('it ends in the middle of an entry');
  }

  #take(piece: Buffer): void {
    this.#content -= piece.length;
    const collecting = this.#collecting;
    if (collecting === null) {
      this.#handler.content(piece);
      return;
    }
    collecting.filled += piece.copy(collecting.bytes, collecting.filled);
    if (this.#content === 0) this.#collected(collecting.typeflag, collecting.bytes);
  }

  #block(block: Buffer): void {
    if (this.#unfinished !== null) return this.#moreHoles(this.#unfinished, block);
    if (isZero(block)) {
      this.#zeroBlocks += 1;
      return;
    }
    const header = readHeader(block);
    if (header === null || this.#zeroBlocks > 0) throw this.#fail('it is no sound tar archive');
    if ('xgLK'.includes(header.typeflag)) this.#collect(header);
    else this.#member(header, block);
  }

  /** Starts to read what belongs to the next member. */
  #collect({ typeflag, size }: Header): void {
    if (!(size >= 0 && size <= MAX_HEADER_BYTES)) {
      throw this.#fail(`it has an extended header of more than ${MAX_HEADER_BYTES} bytes`);
    }
    this.#collecting = { typeflag, bytes: Buffer.alloc(size), filled: 0 };
    this.#expect(size);
    if (size === 0) this.#collected(typeflag, Buffer.alloc(0));
  }

  #collected(typeflag: string, bytes: Buffer): void {
    this.#collecting = null;
    // Global headers are left aside as Go, and so containerd and Docker, leave them.
    if (typeflag === 'g') return;
    if (typeflag === 'x') {
      const pax = parsePax(bytes);
      if (pax === null || typeof pax === 'string') {
        throw this.#fail(pax === null ? 'it has a bad PAX header' : pax);
      }
      this.#extensions = { ...this.#extensions, pax };
      return;
    }
    const end = bytes.indexOf(0);
    const text = bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
    const key = typeflag === 'L' ? 'longName' : 'longLink';
    this.#extensions = { ...this.#extensions, [key]: text };
  }

  #member(header: Header, block: Buffer): void {
    const extensions = this.#extensions;
    this.#extensions = NOTHING;
    const member = memberOf(header, extensions);
    if (typeof member === 'string') {
      throw this.#fail(`entry ${quoted(extensions.longName ?? header.name)} ${member}`);
    }
    const { pax } = extensions;
    const unfinished: Unfinished = { member, pax, numbers: [], map: null };
    if (header.typeflag === 'S') {
      const [numbers, more] = oldSparsePairs(block, 386, 4);
      [unfinished.numbers, member.realSize] = [numbers, readRealSize(block)];
      if (more) this.#unfinished = unfinished;
      else this.#entry(member, pax, this.#segments(member, numbers));
    } else if (member.type === 'file' && pax.records.get('GNU.sparse.major') === '1') {
      this.#unfinished = { ...unfinished, map: new SparseMap() };
    } else {
      const numbers = member.type === 'file' ? paxSparseNumbers(pax) : null;
      this.#entry(member, pax, numbers === null ? null : this.#segments(member, numbers));
    }
  }

  #moreHoles(unfinished: Unfinished, block: Buffer): void {
    const { member, pax, map, numbers } = unfinished;
    if (map === null) {
      const [more, goesOn] = oldSparsePairs(block, 0, 21);
      for (const number of more) numbers.push(number);
      if (!goesOn) this.#finish(unfinished, numbers);
      else if (numbers.length > MAX_HEADER_BYTES) this.#segments(member, numbers);
      return;
    }
    // The map counts as content.
    member.stored -= BLOCK;
    const all = map.add(block);
    if (all !== null) this.#finish({ member, pax, map, numbers }, all);
    else if (member.stored < BLOCK) this.#segments(member, [Number.NaN]);
  }

  #finish({ member, pax }: Unfinished, numbers: readonly number[]): void {
    this.#unfinished = null;
    this.#entry(member, pax, this.#segments(member, numbers));
  }

  #segments(member: Member, numbers: readonly number[]): Segment[] {
    const segments = segmentsOf(numbers, member.realSize ?? Number.NaN, member.stored);
    if (typeof segments === 'string') throw this.#fail(`entry ${quoted(member.name)} ${segments}`);
    return segments;
  }

  #entry(member: Member, { xattrs }: Pax, sparse: Segment[] | null): void {
    const { stored, realSize, ...rest } = member;
    const entry = { ...rest, xattrs, sparse, size: sparse === null ? stored : (realSize ?? stored) };
    const excess = this.#budget.take(metadataBytes(entry), entry.size);
    if (excess !== null) throw this.#fail(excess);
    this.#expect(storedBytes(entry));
    this.#handler.entry(entry);
  }

  #expect(bytes: number): void {
    this.#content = bytes;
    this.#padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
  }

  #fail(what: string): Error {
    return this.#error(what);
  }
}

function readRealSize(block: Buffer): number {
  return headerNumber(block, 483, 12);
}

function metadataBytes({ name, link, xattrs, sparse }: TarEntry): number {
  const values = xattrs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return name.length + link.length + values + 16 * (sparse?.length ?? 0);
}
