/** Trees of files that a build reads: the build context, an image, a stage. */
import type { Directory, Leaf } from '../../images/layers/tree.ts';

/** Takes the contents of files one after the other. */
export interface ContentVisitor {
  /** What follows is the content of this file. */
  begin(leaf: Leaf): void;
  content(bytes: Buffer): void;
  /** Awaited now and then, so that whoever takes the content sets the pace. */
  settled(): Promise<void>;
}

/** Where contents come from. */
export interface ContentSource {
  /**
   * The content of a file, without the holes that its entry lists, if it can be had alone; null when it lies in a stream that
   * has to be read up to it, so that `stream` is the way. To be read to the end before the next one.
   * @throws A3sError while it is read: `io` when the file is not any more what it was when the tree was made.
   */
  content(leaf: Leaf): Iterable<Buffer> | null;
  /** Gives the contents of files that `content` has none for, each once, in an order that depends on nothing but the source. */
  stream(wanted: ReadonlySet<Leaf>, visitor: ContentVisitor, signal?: AbortSignal): Promise<void>;
}

/**
 * What COPY, ADD and bind mounts read. Names and attributes are a tree in memory that loads a directory when it is first asked for
 * its children; contents are read when they are asked for. Symbolic links are data here: `followLinks` follows them inside of
 * the tree, so that none leads out.
 */
export interface SourceTree extends ContentSource {
  /** What errors call it. */
  readonly name: string;
  /** Equal identities are equal trees; null when that is not known without reading. */
  readonly identity: string | null;
  /**
   * The root directory. Hard links to one file are one leaf. Repeated calls give the same tree.
   * @throws A3sError `image_broken`, `io` for what cannot be read.
   */
  open(): Promise<Directory>;
  /** SHA-256, in hexadecimal, of the contents of files of this tree. */
  digests(leaves: Iterable<Leaf>, signal?: AbortSignal): Promise<Map<Leaf, string>>;
}
