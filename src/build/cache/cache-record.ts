/** Entries of the build cache as `builder prune` and `system df` list them, in BuildKit's terms (client.UsageInfo). */

/** BuildKit's record types. */
export type CacheRecordType = 'regular' | 'source.local' | 'exec.cachemount';

export interface CacheRecord {
  /** 25 characters, as BuildKit's. */
  id: string;
  type: CacheRecordType;
  /** `[build 2/3] RUN make`; empty for none. */
  description: string;
  /** IDs of the records that it was made on. */
  parents: string[];
  /** Milliseconds since 1970. */
  createdAt: number;
  lastUsedAt: number;
  usageCount: number;
  /** A build that runs uses it, or it was used by one less than a moment ago. */
  inUse: boolean;
  /** An image has the same layer: removing the record frees nothing. */
  shared: boolean;
  /** A cache mount: its content changes. */
  mutable: boolean;
  /** Bytes on the disk. */
  size: number;
}
