import { Header } from 'tar';

/** A member of a tar archive: a directory if its path ends in a slash, else a link or a file. */
export interface TarEntry {
  path: string;
  mode: number;
  /** User and group, root unless given. */
  owner?: number;
  link?: string;
  content?: Buffer;
}

const block = 512;

/** A tar archive of its entries sorted by path, all with the same date: equal input gives equal bytes. */
export function tarArchive(entries: readonly TarEntry[], mtime: Date): Buffer {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const parts = sorted.flatMap((entry) => member(entry, mtime));
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function member(entry: TarEntry, mtime: Date): Buffer[] {
  const content = entry.content ?? Buffer.alloc(0);
  const owner = entry.owner ?? 0;
  const fields = { path: entry.path, mode: entry.mode, uid: owner, gid: owner, size: content.length, mtime };
  const header = new Header({ ...fields, type: typeOf(entry), linkpath: entry.link ?? '' });
  const bytes = Buffer.alloc(block);
  if (header.encode(bytes, 0)) throw new Error(`${entry.path} does not fit a plain tar header`);
  return [bytes, content, Buffer.alloc(-content.length & (block - 1))];
}

function typeOf(entry: TarEntry): 'Directory' | 'SymbolicLink' | 'File' {
  if (entry.path.endsWith('/')) return 'Directory';
  return entry.link === undefined ? 'File' : 'SymbolicLink';
}
