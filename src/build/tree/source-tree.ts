/** Trees of files that a build reads: the build context, an image, a stage. */
import type { Directory, Leaf } from '../../images/layers/tree.ts';

/** Takes the content of one file, piece by piece. */
export type ContentVisitor = (leaf: Leaf, pieces: Iterable<Buffer> | AsyncIterable<Buffer>) => Promise<void>;

/**
 * What COPY, ADD and bind mounts read. Names and attributes are a tree in memory that loads a directory when it is first asked for
 * its children; contents are read when they are asked for. Symbolic links are data here: `followLinks` of the tree follows them inside
 * of it, so that none leads out.
 */
export interface SourceTree {
  /** What errors call it. */
  readonly name: string;
  /** Equal identities are equal trees; null when that is not known without reading. */
  readonly identity: string | null;
  /**
   * The root directory. Hard links to one file are one leaf. Repeated calls give the same tree.
   * @throws A3sError `image_broken`, `io`, `usage` for what cannot be read.
   */
  open(): Promise<Directory>;
  /** SHA-256, in hexadecimal, of the contents of files of this tree. */
  digests(leaves: Iterable<Leaf>, signal?: AbortSignal): Promise<Map<Leaf, string>>;
  /**
   * The content of a file, without its holes, if it can be had alone; null when it lies in a stream that has to be read up to it, so
   * that `stream` is the way. To be read to the end before the next one.
   * @throws A3sError while it is read: `io` when the file is not any more what it was when the tree was made.
   */
  content(leaf: Leaf): Iterable<Buffer> | null;
  /** Gives the contents of the files that `content` has none for, each once, in an order that depends on nothing but the tree. */
  stream(leaves: ReadonlySet<Leaf>, visit: ContentVisitor, signal?: AbortSignal): Promise<void>;
}
