/** The 512-byte header block of a tar member: V7, POSIX ustar, GNU and star (POSIX.1-2017 pax; GNU tar manual; star(5)). */
import { headerNumber } from './number.ts';

export const BLOCK = 512;

/** The fields that all dialects share, still unchecked: numbers may be NaN. */
export interface Header {
  /** One character; NUL is the V7 regular file. */
  typeflag: string;
  name: string;
  link: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  major: number;
  minor: number;
}

/** True when all of a block is zero: two of them end an archive. */
export function isZero(block: Buffer): boolean {
  return block[0] === 0 && block.compare(block, 1, BLOCK, 0, BLOCK - 1) === 0;
}

/** The header in a block; null when the checksum says that it is none. */
export function readHeader(block: Buffer): Header | null {
  if (!isSealed(block)) return null;
  const hasDevices = block.toString('latin1', 257, 262) === 'ustar';
  return {
    typeflag: block.toString('latin1', 156, 157),
    name: prefixOf(block) + text(block, 0, 100),
    link: text(block, 157, 100),
    mode: headerNumber(block, 100, 8),
    uid: headerNumber(block, 108, 8),
    gid: headerNumber(block, 116, 8),
    size: headerNumber(block, 124, 12),
    mtime: headerNumber(block, 136, 12),
    // V7 ends before these fields.
    major: hasDevices ? headerNumber(block, 329, 8) : 0,
    minor: hasDevices ? headerNumber(block, 337, 8) : 0,
  };
}

/** The checksum counts itself as spaces; some old tars summed signed characters. */
function isSealed(block: Buffer): boolean {
  let sum = 8 * 0x20;
  let high = 0;
  for (let n = 0; n < BLOCK; n += 1) {
    if (n === 148) n = 156;
    const byte = block[n] ?? 0;
    sum += byte;
    if (byte >= 0x80) high += 1;
  }
  const noted = headerNumber(block, 148, 8);
  return noted === sum || noted === sum - 256 * high;
}

/** GNU has other things where POSIX has the front part of a long name. */
function prefixOf(block: Buffer): string {
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return '';
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = text(block, 345, isStar ? 131 : 155);
  return prefix === '' ? '' : `${prefix}/`;
}

function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString('latin1', offset, end === -1 ? offset + length : Math.min(end, offset + length));
}
