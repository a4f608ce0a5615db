/** PAX extended headers: `<length> <key>=<value>\n` records (POSIX.1-2017 pax; xattrs as star and libarchive write them). */
import { MAX_XATTR_BYTES } from '../limits.ts';
import type { Xattrs } from './entry.ts';

const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';

/** What a PAX header says about the next member. */
export interface Pax {
  /** The plain records, by key; the last of equal keys wins. */
  records: ReadonlyMap<string, string>;
  xattrs: Xattrs;
  /** `GNU.sparse.offset` and `GNU.sparse.numbytes` in their order: the one pair of keys that is repeated. */
  sparse: readonly string[];
}

export const NO_PAX: Pax = { records: new Map(), xattrs: [], sparse: [] };

/** @returns null when the header is malformed; a string when it holds too much. */
export function parsePax(data: Buffer): Pax | string | null {
  const records = new Map<string, string>();
  const xattrs = new Map<string, string>();
  const sparse: string[] = [];
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    // Ten digits are more than a header may hold.
    if (space === -1 || space - at > 10) return null;
    const digits = data.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^\d+$/.test(digits) || end > data.length || end <= space + 1 || data[end - 1] !== 0x0a) return null;
    const equals = data.indexOf(0x3d, space);
    if (equals === -1 || equals >= end || equals === space + 1) return null;
    const key = data.toString('latin1', space + 1, equals);
    const value = data.toString('latin1', equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(value);
    else if (!addXattr(xattrs, key, value)) records.set(key, value);
    at = end;
  }
  for (const [name, value] of xattrs) {
    if (value.length > MAX_XATTR_BYTES || name.length > 255) return 'an extended attribute is too large';
  }
  return { records, xattrs: [...xattrs], sparse };
}

/** True when the record is an extended attribute. libarchive writes both forms; the plain one is taken then. */
function addXattr(xattrs: Map<string, string>, key: string, value: string): boolean {
  if (key.startsWith(SCHILY)) {
    xattrs.set(key.slice(SCHILY.length), value);
    return true;
  }
  if (!key.startsWith(LIBARCHIVE)) return false;
  const name = key.slice(LIBARCHIVE.length).replaceAll(/%[\da-f]{2}/gi, (code) => {
    return String.fromCharCode(Number.parseInt(code.slice(1), 16));
  });
  if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value, 'base64').toString('latin1'));
  return true;
}
