/** From the headers in front of a member to an entry: which of them wins, and what is refused. */
import { MAX_PATH_BYTES, quoted } from '../limits.ts';
import type { EntryType } from './entry.ts';
import type { Header } from './header.ts';
import { paxInteger, paxSeconds } from './number.ts';
import type { Pax } from './pax.ts';

/** What stood before a member's own header. */
export interface Extensions {
  pax: Pax;
  /** GNU's `L` and `K`; null without. */
  longName: string | null;
  longLink: string | null;
}

/** A member whose numbers are sound; its holes are not known yet. */
export interface Member {
  type: EntryType;
  name: string;
  link: string;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  major: number;
  minor: number;
  /** Bytes in the archive that follow. */
  stored: number;
  /** Size of the file when it is sparse; null when it is `stored`. */
  realSize: number | null;
}

const TYPES: Record<string, EntryType> = {
  '\0': 'file',
  '0': 'file',
  // Reserved for contiguous files: POSIX lets it be read as a regular one.
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** PAX wins over GNU's long names, and these over the header block, as in Go's and GNU's tar. */
export function memberOf(header: Header, { pax, longName, longLink }: Extensions): Member | string {
  const { records } = pax;
  const name = records.get('GNU.sparse.name') || records.get('path') || (longName ?? header.name);
  const link = records.get('linkpath') || (longLink ?? header.link);
  let type = TYPES[header.typeflag];
  if (type === undefined) return `is of unknown type ${quoted(header.typeflag)}`;
  // V7 had no type for directories.
  if (header.typeflag === '\0' && name.endsWith('/')) type = 'directory';
  const number = (key: string, value: number, parse = paxInteger): number => {
    const text = records.get(key);
    return text === undefined || text === '' ? value : parse(text);
  };
  const isDevice = type === 'character' || type === 'block';
  const realSize = records.get('GNU.sparse.realsize') ?? records.get('GNU.sparse.size');
  const member: Member = {
    type,
    name,
    link: type === 'symlink' || type === 'hardlink' ? link : '',
    mode: header.mode & 0o7777,
    uid: number('uid', header.uid),
    gid: number('gid', header.gid),
    mtime: number('mtime', header.mtime, paxSeconds),
    major: isDevice ? header.major : 0,
    minor: isDevice ? header.minor : 0,
    // Other types have no content, whatever the field says.
    stored: type === 'file' ? number('size', header.size) : 0,
    realSize: realSize === undefined ? null : paxInteger(realSize),
  };
  return faultOf(member, header.mode) ?? member;
}

/** Everything that a later step relies on; written so that NaN fails. */
function faultOf(member: Member, rawMode: number): string | null {
  const { name, link, uid, gid, mtime, major, minor, stored } = member;
  if (name.length > MAX_PATH_BYTES) return `has a name of more than ${MAX_PATH_BYTES} bytes`;
  if (link.length >= MAX_PATH_BYTES) return `has a link target of more than ${MAX_PATH_BYTES - 1} bytes`;
  // A NUL would end the name for whoever reads it next.
  if (name.includes('\0') || link.includes('\0')) return 'has a NUL in its name';
  if (member.type === 'symlink' && link === '') return 'is a symbolic link to nothing';
  const isId = (id: number): boolean => id >= 0 && id < 2 ** 32;
  if (!isId(uid) || !isId(gid)) return 'has a bad owner';
  if (!Number.isSafeInteger(mtime)) return 'has a bad time';
  if (Number.isNaN(rawMode)) return 'has a bad mode';
  if (!(stored >= 0)) return 'has a bad size';
  // What Linux can keep: 12 and 20 bits.
  if (!(major >= 0 && major < 4096 && minor >= 0 && minor < 2 ** 20)) return 'has a bad device number';
  return null;
}
