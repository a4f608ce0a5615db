/** What a stage's root is made of, in order: the layers of its base, then those that its steps have made. */
import type { Image } from '../../images/image.ts';
import type { Rootfs } from '../../images/rootfs.ts';
import type { Layout } from '../../state/layout.ts';
import type { BuiltLayer } from '../cache/built-layer.ts';
import { readLayer } from '../cache/layers.ts';
import type { LayerListing } from '../tree/layer-listing.ts';
import { RootTree } from '../tree/root-tree.ts';
import { cacheKey } from './key.ts';

/** Where a stage begins. */
export interface Base {
  /** What messages call it. */
  name: string;
  /** Null: nothing, `FROM scratch`. */
  rootfs: Rootfs | null;
  /** Digests of its layers, uncompressed. */
  diffIds: readonly string[];
}

export const SCRATCH: Base = { name: 'scratch', rootfs: null, diffIds: [] };

export function baseOfImage(reference: string, image: Pick<Image, 'layers'>, rootfs: Rootfs): Base {
  return { name: reference, rootfs, diffIds: image.layers.map(({ diffId }) => diffId) };
}

/** Immutable. */
export class Chain {
  readonly base: Base;
  readonly layers: readonly BuiltLayer[];
  readonly tree: RootTree;
  /** Equal for roots that are equal and have come about alike. */
  readonly identity: string;
  /** What it came from: digests of layers, and null for each command that left the root as it was. */
  readonly #past: readonly (string | null)[];

  private constructor(
    base: Base,
    layers: readonly BuiltLayer[],
    tree: RootTree,
    past: readonly (string | null)[],
  ) {
    this.base = base;
    this.layers = layers;
    this.tree = tree;
    this.#past = past;
    this.identity = cacheKey('root', past);
  }

  static on(base: Base): Chain {
    return new Chain(base, [], new RootTree({ name: base.name, rootfs: base.rootfs }), base.diffIds);
  }

  /** After a command that has changed nothing here: the same command again is another one, for what it does elsewhere. */
  afterCommand(): Chain {
    return new Chain(this.base, this.layers, this.tree, [...this.#past, null]);
  }

  /** @param listing what is in the layer, if that is known without reading it */
  with(layout: Layout, layer: BuiltLayer, listing?: LayerListing): Chain {
    const { diffId } = layer;
    const known = listing === undefined ? {} : { listing };
    const tree = this.tree.withLayer({ diffId, read: () => readLayer(layout, layer), ...known });
    return new Chain(this.base, [...this.layers, layer], tree, [...this.#past, diffId]);
  }
}
