/** One member of a layer's tar, whatever the dialect it was written in. */

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

/** Data of a sparse file, in bytes; what lies between is a hole. */
export interface Segment {
  offset: number;
  length: number;
}

/** Extended attributes: names and values, one byte a character. */
export type Xattrs = readonly (readonly [name: string, value: string])[];

/**
 * Names, link targets and attributes are bytes, not text: they are kept as strings with one byte a character (latin1), so that
 * they come out as they went in.
 */
export interface TarEntry {
  type: EntryType;
  /** As written: not cleaned, not confined. */
  name: string;
  /** Target of a symbolic or hard link; empty for other types. */
  link: string;
  /** Permissions with the set-ID and sticky bits, without the type. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970, rounded down; may be negative. */
  mtime: number;
  /** Bytes of the file, holes included; 0 for what is no file. */
  size: number;
  /** Of a device. */
  major: number;
  minor: number;
  xattrs: Xattrs;
  /** In ascending order, not overlapping; null when the file has no holes. */
  sparse: readonly Segment[] | null;
}

/** Bytes of content that the archive holds for an entry. */
export function storedBytes(entry: TarEntry): number {
  if (entry.sparse === null) return entry.size;
  return entry.sparse.reduce((sum, { length }) => sum + length, 0);
}
