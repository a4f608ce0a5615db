/** A directory of the host as a source: the build context, a named context, a repository. */
import type { Directory, Leaf } from '../../images/layers/tree.ts';
import type { IgnoreRules } from '../dockerignore.ts';
import type { ContentVisitor, SourceTree } from './source-tree.ts';

/** Remembers digests from build to build, by what `stat` says of a file. */
export interface DigestMemo {
  get(key: string): string | undefined;
  set(key: string, digest: string): void;
}

/**
 * Everything is root's. Sockets are empty files, as BuildKit has them. Files are opened by directory and name, so that no link leads out, even one
 * that is planted meanwhile.
 */
export declare class DirectoryTree implements SourceTree {
  constructor(options: { name: string; directory: string; ignore: IgnoreRules; memo?: DigestMemo });
  readonly name: string;
  readonly identity: null;
  open(): Promise<Directory>;
  digests(leaves: Iterable<Leaf>, signal?: AbortSignal): Promise<Map<Leaf, string>>;
  content(leaf: Leaf): Iterable<Buffer> | null;
  stream(leaves: ReadonlySet<Leaf>, visit: ContentVisitor, signal?: AbortSignal): Promise<void>;
  close(): void;
}
