/** The tables that inodes point into: owners, fragments, extended attributes. */
import type { Xattrs } from '../../../images/layers/tar/entry.ts';
import type { Blocks } from './blocks.ts';
import { Cursor } from './cursor.ts';

const METADATA_BYTES = 8192;
const PREFIXES = ['user.', 'trusted.', 'security.'];
const ELSEWHERE = 0x100;

export class Tables {
  readonly #blocks: Blocks;
  #ids: number[] | null = null;
  readonly #xattrs = new Map<number, Xattrs>();

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  /** The owner at a place. */
  id(place: number): number {
    this.#ids ??= this.#readIds();
    const id = this.#ids[place];
    if (id === undefined) throw this.#blocks.broken('it has an unknown owner');
    return id;
  }

  /** Where a fragment is, and its size as `Blocks.data` takes it. */
  fragment(place: number): { position: number; size: number } {
    const { fragments, fragmentTable } = this.#blocks.superblock;
    if (place >= fragments) throw this.#blocks.broken('a fragment is missing');
    const cursor = this.#record(fragmentTable, place, 16);
    return { position: cursor.u64(), size: cursor.u32() };
  }

  /** The attributes at a place, sorted by name; none for -1. */
  xattrs(place: number): Xattrs {
    if (place < 0) return [];
    const known = this.#xattrs.get(place) ?? this.#readXattrs(place);
    this.#xattrs.set(place, known);
    return known;
  }

  #readXattrs(place: number): Xattrs {
    const { xattrTable } = this.#blocks.superblock;
    if (xattrTable < 0) throw this.#blocks.broken('attributes are missing');
    const header = this.#blocks.read(xattrTable, 16);
    const start = Number(header.readBigUInt64LE());
    if (place >= header.readUInt32LE(8)) throw this.#blocks.broken('attributes are missing');
    const record = this.#record(xattrTable + 16, place, 16);
    const reference = record.u64();
    const count = record.u32();
    const cursor = new Cursor(this.#blocks, start, reference);
    const xattrs: [string, string][] = [];
    for (let n = 0; n < count; n += 1) {
      const type = cursor.u16();
      const prefix = PREFIXES[type & 0xff];
      if (prefix === undefined) throw this.#blocks.broken('an attribute is of an unknown kind');
      const name = prefix + cursor.bytes(cursor.u16()).toString('latin1');
      let value = cursor;
      const length = cursor.u32();
      if ((type & ELSEWHERE) !== 0) {
        // Equal values are kept once.
        value = new Cursor(this.#blocks, start, cursor.u64());
        xattrs.push([name, value.bytes(value.u32()).toString('latin1')]);
      } else xattrs.push([name, value.bytes(length).toString('latin1')]);
    }
    return xattrs.toSorted(([one], [other]) => (one < other ? -1 : 1));
  }

  #readIds(): number[] {
    const { ids, idTable } = this.#blocks.superblock;
    return Array.from({ length: ids }, (_, place) => this.#record(idTable, place, 4).u32());
  }

  /** A record of a table whose metadata blocks are listed at `table`. */
  #record(table: number, place: number, bytes: number): Cursor {
    const perBlock = METADATA_BYTES / bytes;
    const entry = this.#blocks.read(table + 8 * Math.floor(place / perBlock), 8);
    return new Cursor(this.#blocks, Number(entry.readBigUInt64LE()), (place % perBlock) * bytes);
  }
}
