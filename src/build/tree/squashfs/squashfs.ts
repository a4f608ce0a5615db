/** A root filesystem read where it lies: names a directory at a time, contents a file at a time, nothing unpacked to disk. */
import { MAX_NAME_BYTES } from '../../../images/layers/limits.ts';
import type { TarEntry } from '../../../images/layers/tar/entry.ts';
import type { Child, Directory, Leaf } from '../../../images/layers/tree.ts';
import { LazyDirectory } from '../lazy-directory.ts';
import { Blocks } from './blocks.ts';
import { Cursor } from './cursor.ts';
import { type FileContent, type Inode, type Listing, readInode } from './inode.ts';
import { Tables } from './tables.ts';

/** The layer that the tree says its files are of: below every other. A file's ordinal is its inode's reference. */
export const BASE_LAYER = -1;
/** A directory of more names than an image may have. */
const MAX_LISTING_BYTES = 1 << 30;

export class Squashfs {
  readonly #blocks: Blocks;
  readonly #tables: Tables;
  /** Files with several names, by reference. */
  readonly #linked = new Map<number, Leaf>();
  /** The fragment that was read last: small files share them. */
  #fragment: { place: number; bytes: Buffer } = { place: -1, bytes: Buffer.alloc(0) };
  readonly root: Directory;

  /** @throws A3sError `image_broken`, errors of node:fs. */
  constructor(path: string) {
    this.#blocks = new Blocks(path);
    this.#tables = new Tables(this.#blocks);
    this.root = this.#directory(readInode(this.#blocks, this.#blocks.superblock.rootInode));
  }

  close(): void {
    this.#blocks.close();
  }

  /** The content of the file with this inode, holes as zeros. */
  *content(reference: number): Generator<Buffer, void, undefined> {
    const { content } = readInode(this.#blocks, reference);
    if (content === null) throw this.#blocks.broken('a file has no content');
    const { blockSize } = this.#blocks.superblock;
    let position = content.start;
    let left = content.size;
    for (const size of content.blockSizes) {
      const expected = Math.min(blockSize, left);
      // A block of zeros is not kept.
      const bytes = size === 0 ? Buffer.alloc(expected) : this.#blocks.data(position, size);
      if (bytes.length !== expected) throw this.#blocks.broken('a data block has a bad size');
      yield bytes;
      left -= expected;
      position += size & 0xff_ffff;
    }
    if (left > 0) yield this.#tail(content, left);
  }

  #tail({ fragment, offset }: FileContent, length: number): Buffer {
    if (this.#fragment.place !== fragment) {
      const { position, size } = this.#tables.fragment(fragment);
      this.#fragment = { place: fragment, bytes: this.#blocks.data(position, size) };
    }
    const bytes = this.#fragment.bytes.subarray(offset, offset + length);
    if (bytes.length !== length) throw this.#blocks.broken('a fragment is too short');
    return bytes;
  }

  #directory(inode: Inode): Directory {
    const { listing } = inode;
    if (listing === null) throw this.#blocks.broken('the root is no directory');
    return new LazyDirectory(this.#entry(inode), () => this.#children(listing));
  }

  #children({ reference, bytes }: Listing): Map<string, Child> {
    const children = new Map<string, Child>();
    if (bytes === 0) return children;
    if (bytes > MAX_LISTING_BYTES) throw this.#blocks.broken('a directory is too large');
    const cursor = new Cursor(this.#blocks, this.#blocks.superblock.directoryTable, reference);
    for (let left = bytes; left > 0;) {
      const count = cursor.u32() + 1;
      const block = cursor.u32() * 65_536;
      cursor.u32();
      left -= 12;
      for (let n = 0; n < count; n += 1) {
        const offset = cursor.u16();
        cursor.u16();
        cursor.u16();
        const length = cursor.u16() + 1;
        if (length > MAX_NAME_BYTES) throw this.#blocks.broken('a name is too long');
        const name = cursor.bytes(length).toString('latin1');
        left -= 8 + length;
        children.set(name, { node: this.#node(block + offset), layer: BASE_LAYER });
      }
    }
    return children;
  }

  #node(reference: number): Leaf | Directory {
    const known = this.#linked.get(reference);
    if (known !== undefined) return known;
    const inode = readInode(this.#blocks, reference);
    if (inode.type === 'directory') return this.#directory(inode);
    const leaf = { entry: this.#entry(inode), layer: BASE_LAYER, ordinal: reference, path: '' };
    if (inode.links > 1) this.#linked.set(reference, leaf);
    return leaf;
  }

  #entry(inode: Inode): TarEntry {
    const { type, mode, link, mtime, device } = inode;
    return {
      type,
      name: '',
      link,
      mode,
      uid: this.#tables.id(inode.uid),
      gid: this.#tables.id(inode.gid),
      mtime,
      size: inode.content?.size ?? 0,
      major: (device >>> 8) & 0xfff,
      minor: (device & 0xff) | ((device >>> 12) & 0xfff00),
      xattrs: this.#tables.xattrs(inode.xattrs),
      sparse: null,
    };
  }
}
