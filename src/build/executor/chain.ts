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
  /** Equal for equal roots. */
  readonly identity: string;

  private constructor(base: Base, layers: readonly BuiltLayer[], tree: RootTree) {
    this.base = base;
    this.layers = layers;
    this.tree = tree;
    this.identity = cacheKey('root', [...base.diffIds, ...layers.map(({ diffId }) => diffId)]);
  }

  static on(base: Base): Chain {
    return new Chain(base, [], new RootTree({ name: base.name, rootfs: base.rootfs }));
  }

  /** @param listing what is in the layer, if that is known without reading it */
  with(layout: Layout, layer: BuiltLayer, listing?: LayerListing): Chain {
    const { diffId } = layer;
    const known = listing === undefined ? {} : { listing };
    const tree = this.tree.withLayer({ diffId, read: () => readLayer(layout, layer), ...known });
    return new Chain(this.base, [...this.layers, layer], tree);
  }
}
