/** Inodes: what a file is, and where its content lies. */
import type { EntryType } from '../../../images/layers/tar/entry.ts';
import type { Blocks } from './blocks.ts';
import { Cursor } from './cursor.ts';

/** No fragment, no attributes. */
const NONE = 0xffff_ffff;
/** Content beyond this is not made by anybody; it bounds the list of blocks. */
const MAX_BLOCKS = 1 << 24;

/** Basic kinds by number; an extended one is seven more. Sockets are not kept by a tar, so none is here. */
const KINDS: readonly (EntryType | undefined)[] = [
  undefined,
  'directory',
  'file',
  'symlink',
  'block',
  'character',
  'fifo',
];

export interface FileContent {
  start: number;
  size: number;
  blockSizes: number[];
  /** Its end in a block shared with others; -1 without. */
  fragment: number;
  offset: number;
}

/** Where a directory's names are. */
export interface Listing {
  reference: number;
  bytes: number;
}

export interface Inode {
  type: EntryType;
  mode: number;
  /** Places in the table of owners. */
  uid: number;
  gid: number;
  mtime: number;
  /** How many names it has; 1 where it is not kept. */
  links: number;
  /** Place in the table of attributes; -1 without. */
  xattrs: number;
  link: string;
  device: number;
  content: FileContent | null;
  listing: Listing | null;
}

/** @throws A3sError `image_broken` for a kind that a tar cannot have. */
export function readInode(blocks: Blocks, reference: number): Inode {
  const cursor = new Cursor(blocks, blocks.superblock.inodeTable, reference);
  const number = cursor.u16();
  const isExtended = number > 7;
  const type = KINDS[isExtended ? number - 7 : number];
  if (type === undefined) throw blocks.broken(`it has an inode of kind ${number}`);
  const mode = cursor.u16() & 0o7777;
  const uid = cursor.u16();
  const gid = cursor.u16();
  const mtime = cursor.u32();
  // The inode's number: references are as good.
  cursor.u32();
  const inode: Inode = {
    type,
    mode,
    uid,
    gid,
    mtime,
    links: 1,
    xattrs: -1,
    link: '',
    device: 0,
    content: null,
    listing: null,
  };
  if (type === 'directory') readDirectory(cursor, inode, isExtended);
  else if (type === 'file') readFile(blocks, cursor, inode, isExtended);
  else {
    inode.links = cursor.u32();
    if (type === 'symlink') inode.link = readTarget(blocks, cursor);
    else if (type !== 'fifo') inode.device = cursor.u32();
    if (isExtended) inode.xattrs = optional(cursor.u32());
  }
  return inode;
}

function readDirectory(cursor: Cursor, inode: Inode, isExtended: boolean): void {
  if (isExtended) {
    cursor.u32();
    const bytes = cursor.u32();
    const block = cursor.u32();
    cursor.u32();
    cursor.u16();
    const offset = cursor.u16();
    inode.xattrs = optional(cursor.u32());
    inode.listing = listingAt(block, offset, bytes);
    return;
  }
  const block = cursor.u32();
  cursor.u32();
  const bytes = cursor.u16();
  inode.listing = listingAt(block, cursor.u16(), bytes);
}

/** The size counts three bytes for `.` and `..` that are not there. */
function listingAt(block: number, offset: number, bytes: number): Listing {
  return { reference: block * 65_536 + offset, bytes: Math.max(bytes - 3, 0) };
}

function readFile(blocks: Blocks, cursor: Cursor, inode: Inode, isExtended: boolean): void {
  const start = isExtended ? cursor.u64() : cursor.u32();
  const extendedSize = isExtended ? cursor.u64() : 0;
  if (isExtended) {
    cursor.u64();
    inode.links = cursor.u32();
  }
  const fragment = optional(cursor.u32());
  const offset = cursor.u32();
  const size = isExtended ? extendedSize : cursor.u32();
  if (isExtended) inode.xattrs = optional(cursor.u32());
  const { blockSize } = blocks.superblock;
  const count = fragment < 0 ? Math.ceil(size / blockSize) : Math.floor(size / blockSize);
  if (count > MAX_BLOCKS) throw blocks.broken('it has a file of too many blocks');
  const list = cursor.bytes(4 * count);
  const blockSizes = Array.from({ length: count }, (_, n) => list.readUInt32LE(4 * n));
  inode.content = { start, size, blockSizes, fragment, offset };
}

function readTarget(blocks: Blocks, cursor: Cursor): string {
  const length = cursor.u32();
  if (length > 65_535) throw blocks.broken('it has a link that is too long');
  return cursor.bytes(length).toString('latin1');
}

function optional(place: number): number {
  return place === NONE ? -1 : place;
}
