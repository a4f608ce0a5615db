/** A stage's root: the base image's squashfs with the layers that the build has made on it. */
import type { Writable } from 'node:stream';

import type { Directory, Leaf } from '../../images/layers/tree.ts';
import type { Rootfs } from '../../images/rootfs.ts';
import type { LayerListing } from './layer-listing.ts';
import type { ContentVisitor, SourceTree } from './source-tree.ts';

/** A layer that the build has made, or found in its cache. */
export interface RootLayer {
  /** `sha256:…` of the uncompressed tar. */
  diffId: string;
  /** Its tar, uncompressed; each call starts at the beginning. */
  read(): AsyncIterable<Buffer>;
  /** What is in it, if it was looked at while it was made (`listing`); otherwise it is read when a name is asked for. */
  listing?: LayerListing;
}

/** Immutable: `withLayer` makes another one and leaves this as it is. Nothing is read before `open`. */
export declare class RootTree implements SourceTree {
  /** @param rootfs null for `FROM scratch` */
  constructor(options: { name: string; rootfs: Rootfs | null; layers?: readonly RootLayer[] });
  readonly name: string;
  readonly identity: string;
  withLayer(layer: RootLayer): RootTree;
  open(): Promise<Directory>;
  digests(leaves: Iterable<Leaf>, signal?: AbortSignal): Promise<Map<Leaf, string>>;
  content(leaf: Leaf): Iterable<Buffer> | null;
  stream(leaves: ReadonlySet<Leaf>, visit: ContentVisitor, signal?: AbortSignal): Promise<void>;
  /** Closes the base's file, for every tree that was made from this one. */
  close(): void;
}

/** Writes a whole root as a tar (`-o type=tar`), parents first, with the archive's end; does not end the sink. */
export declare function exportTree(
  root: SourceTree,
  sink: Writable,
  options: { maxMtime: number | null; signal?: AbortSignal },
): Promise<void>;

/** Writes a whole root into an empty or existing directory of the host (`-o type=local`). */
export declare function exportToDirectory(
  root: SourceTree,
  directory: string,
  options: { maxMtime: number | null; signal?: AbortSignal },
): Promise<void>;
