/** A stage's root: the base image's squashfs with the layers that the build has made on it. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';

import { Budget, errorOf } from '../../images/layers/limits.ts';
import { Merge } from '../../images/layers/merge.ts';
import { TarReader } from '../../images/layers/tar/reader.ts';
import type { Directory, Leaf } from '../../images/layers/tree.ts';
import type { Rootfs } from '../../images/rootfs.ts';
import { Hashing, HeldContents } from './held-contents.ts';
import { type LayerListing, listing } from './layer-listing.ts';
import { OverlayDirectory } from './overlay-directory.ts';
import { Pauses } from './pause.ts';
import type { ContentVisitor, SourceTree } from './source-tree.ts';
import { BASE_LAYER, Squashfs } from './squashfs/squashfs.ts';

/** A layer that the build has made, or found in its cache. */
export interface RootLayer {
  /** `sha256:…` of the uncompressed tar. */
  diffId: string;
  /** Its tar, uncompressed; each call starts at the beginning. */
  read(): AsyncIterable<Buffer>;
  /** What is in it, if it was listed while it was made (`listing`, `LayerPlan.listing`); otherwise it is read once when the tree is opened. */
  listing?: LayerListing;
}

export interface RootOptions {
  /** What errors call it. */
  name: string;
  /** Null for `FROM scratch`. */
  rootfs: Rootfs | null;
  /** Lowest first. */
  layers?: readonly RootLayer[];
}

interface Lineage {
  base: Base;
  below: RootTree;
}

/** The base, opened when it is first needed. */
class Base {
  readonly rootfs: Rootfs | null;
  readonly digests = new Map<number, string>();
  #squashfs: Squashfs | null = null;

  constructor(rootfs: Rootfs | null) {
    this.rootfs = rootfs;
  }

  get squashfs(): Squashfs | null {
    if (this.rootfs !== null) this.#squashfs ??= new Squashfs(this.rootfs.path);
    return this.#squashfs;
  }

  close(): void {
    this.#squashfs?.close();
    this.#squashfs = null;
  }
}

/** Immutable: `withLayer` makes another one and leaves this as it is. Nothing is read before `open`. */
export class RootTree implements SourceTree {
  readonly name: string;
  readonly identity: string;
  readonly #base: Base;
  readonly #layers: readonly RootLayer[];
  /** The tree that this one has a layer more than. */
  readonly #below: RootTree | null;
  #opened: Promise<Directory> | null = null;
  readonly #held = new HeldContents();

  /** @param lineage of a tree that is made from another one */
  constructor({ name, rootfs, layers = [] }: RootOptions, lineage?: Lineage) {
    this.name = name;
    this.#base = lineage?.base ?? new Base(rootfs);
    this.#layers = layers;
    this.#below = lineage?.below ?? null;
    const parts = [this.#base.rootfs?.digest ?? 'scratch', ...this.#layers.map(({ diffId }) => diffId)];
    this.identity = createHash('sha256').update(parts.join('\n')).digest('hex');
  }

  /** This tree with a layer on it. @param name another name for errors */
  withLayer(layer: RootLayer, name = this.name): RootTree {
    const options = { name, rootfs: this.#base.rootfs, layers: [...this.#layers, layer] };
    return new RootTree(options, { base: this.#base, below: this });
  }

  /** Closes the base's file, for every tree that was made from this one. */
  close(): void {
    this.#base.close();
  }

  open(): Promise<Directory> {
    this.#opened ??= this.#merge();
    return this.#opened;
  }

  async #merge(): Promise<Directory> {
    // What is open already is not merged again.
    let ground = this.#below;
    while (ground !== null && ground.#opened === null) ground = ground.#below;
    const lower = ground === null ? (this.#base.squashfs?.root ?? null) : await ground.open();
    const known = ground === null ? 0 : ground.#layers.length;
    const merge = new Merge(new OverlayDirectory(lower), known);
    for (const layer of this.#layers.slice(known)) {
      merge.nextLayer(layer.diffId);
      layer.listing ??= await list(layer);
      for (const entry of layer.listing.entries) merge.apply(entry);
    }
    return merge.root;
  }

  async digests(leaves: Iterable<Leaf>, signal?: AbortSignal): Promise<Map<Leaf, string>> {
    const found = new Map<Leaf, string>();
    const inLayers: Leaf[] = [];
    const pauses = new Pauses(signal);
    for (const leaf of leaves) {
      if (leaf.layer === BASE_LAYER) found.set(leaf, await this.#baseDigest(leaf, pauses));
      else inLayers.push(leaf);
    }
    const hashing = new Hashing(this.#held);
    await this.stream(new Set(inLayers), hashing, signal);
    for (const [leaf, digest] of hashing.end()) found.set(leaf, digest);
    return found;
  }

  async #baseDigest(leaf: Leaf, pauses: Pauses): Promise<string> {
    const { digests } = this.#base;
    const known = digests.get(leaf.ordinal);
    if (known !== undefined) return known;
    const hash = createHash('sha256');
    const pieces = this.content(leaf);
    if (pieces === null) throw new Error('a file of a base that there is not');
    for (const piece of pieces) {
      hash.update(piece);
      await pauses.after(piece.length);
    }
    const digest = hash.digest('hex');
    digests.set(leaf.ordinal, digest);
    return digest;
  }

  content(leaf: Leaf): Iterable<Buffer> | null {
    if (leaf.layer === BASE_LAYER) return this.#base.squashfs?.content(leaf.ordinal) ?? null;
    return leaf.entry.size === 0 ? [] : null;
  }

  async stream(wanted: ReadonlySet<Leaf>, visitor: ContentVisitor, signal?: AbortSignal): Promise<void> {
    const byLayer = Map.groupBy(wanted, ({ layer }) => layer);
    for (const [n, layer] of this.#layers.entries()) {
      const leaves = byLayer.get(n)?.toSorted((one, other) => one.ordinal - other.ordinal) ?? [];
      if (leaves.length === 0 || (await this.#held.give(leaves, visitor))) continue;
      await streamLayer(layer, new Map(leaves.map((leaf) => [leaf.ordinal, leaf])), visitor, signal);
    }
  }
}

async function list(layer: RootLayer): Promise<LayerListing> {
  const { sink, listing: found } = listing(layer.diffId);
  await pipeline(layer.read(), sink);
  return found;
}

/** Reads a layer as far as its last wanted file. */
async function streamLayer(
  layer: RootLayer,
  wanted: ReadonlyMap<number, Leaf>,
  visitor: ContentVisitor,
  signal: AbortSignal | undefined,
): Promise<void> {
  let ordinal = -1;
  let left = wanted.size;
  let isWanted = false;
  let isPast = false;
  const broken = errorOf(layer.diffId);
  const reader = new TarReader(broken, new Budget(), {
    entry() {
      ordinal += 1;
      isPast = left === 0;
      const leaf = wanted.get(ordinal);
      isWanted = leaf !== undefined;
      if (leaf === undefined) return;
      left -= 1;
      visitor.begin(leaf);
    },
    content: (bytes) => {
      if (isWanted) visitor.content(bytes);
    },
  });
  for await (const piece of layer.read()) {
    signal?.throwIfAborted();
    reader.push(piece);
    await visitor.settled();
    if (isPast) return;
  }
  reader.end();
  if (left > 0) throw broken('it lacks a file that it had');
}
