/** Writes the headers of a tar that tar2sqfs reads: ustar, with PAX records for what does not fit, GNU.sparse 1.0 for holes. */
import { storedBytes, type TarEntry } from './entry.ts';
import { BLOCK } from './header.ts';

/** tar2sqfs refuses larger ones (its TAR_MAX_PAX_LEN). */
export const MAX_PAX_WRITTEN = 65_536;

const TYPEFLAGS = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const;

/** Two of the blocks that end an archive. */
export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK);
const ZEROS = Buffer.alloc(BLOCK);

/**
 * The blocks in front of an entry's content. `path` and `link` replace those of the entry.
 * @returns null when its names and attributes are too much for one PAX header.
 */
export function headersOf(entry: TarEntry, path: string, link: string): Buffer | null {
  const map = entry.sparse === null ? '' : sparseMap(entry);
  const size = storedBytes(entry) + map.length;
  const records = entry.xattrs.map(([name, value]): [string, string] => [`SCHILY.xattr.${name}`, value]);
  if (map !== '') {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0']);
    records.push(['GNU.sparse.realsize', String(entry.size)], ['GNU.sparse.name', path]);
  }
  if (path.length > 100) records.push(['path', path]);
  if (link.length > 100) records.push(['linkpath', link]);
  if (entry.uid >= 8 ** 7) records.push(['uid', String(entry.uid)]);
  if (entry.gid >= 8 ** 7) records.push(['gid', String(entry.gid)]);
  if (size >= 8 ** 11) records.push(['size', String(size)]);
  const pax = records.map(([key, value]) => paxRecord(key, value)).join('');
  if (pax.length > MAX_PAX_WRITTEN) return null;
  const header = block(entry, TYPEFLAGS[entry.type], path, link, size);
  if (pax === '' && map === '') return header;
  const before = pax === '' ? [] : [block(entry, 'x', 'pax', '', pax.length), padded(pax)];
  return Buffer.concat([...before, header, padded(map)]);
}

/** Zeros from the end of `size` bytes of content to the next block. */
export function paddingAfter(size: number): Buffer {
  return ZEROS.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}

function block(entry: TarEntry, typeflag: string, path: string, link: string, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(BLOCK).fill(0);
  const octal = (value: number, width: number, at: number): void => {
    // What is too large stands in a PAX record.
    const text = value < 8 ** (width - 1) ? value.toString(8) : '0';
    bytes.write(text.padStart(width - 1, '0'), at, 'latin1');
  };
  bytes.write(path, 0, 100, 'latin1');
  octal(entry.mode, 8, 100);
  octal(entry.uid, 8, 108);
  octal(entry.gid, 8, 116);
  octal(size, 12, 124);
  // What a squashfs can keep: 32 bits without a sign.
  octal(Math.min(Math.max(entry.mtime, 0), 2 ** 32 - 1), 12, 136);
  bytes.write(`        ${typeflag}`, 148, 'latin1');
  bytes.write(link, 157, 100, 'latin1');
  bytes.write('ustar\u000000', 257, 'latin1');
  octal(entry.major, 8, 329);
  octal(entry.minor, 8, 337);
  octal(checksum(bytes), 7, 148);
  bytes[154] = 0;
  return bytes;
}

/** A loop: calling a function for each byte is what takes the time in archives of small files. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += bytes[at] ?? 0;
  return sum;
}

/** A record's length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length += 1;
  return `${length} ${key}=${value}\n`;
}

/** Its length is a whole number of blocks. */
function sparseMap({ sparse, size }: TarEntry): string {
  // A map of nothing is refused: an empty piece at the end stands for "only a hole".
  const segments = sparse === null || sparse.length === 0 ? [{ offset: size, length: 0 }] : sparse;
  const numbers = segments.flatMap(({ offset, length }) => [offset, length]);
  const text = `${[segments.length, ...numbers].join('\n')}\n`;
  return text.padEnd(Math.ceil(text.length / BLOCK) * BLOCK, '\0');
}

function padded(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(text.length / BLOCK) * BLOCK);
  bytes.write(text, 'latin1');
  return bytes;
}
