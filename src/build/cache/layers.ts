/** Layers on their way into the store and out of it. */
import type { Writable } from 'node:stream';

import type { Lease } from '../../images/store/leases.ts';
import type { Layout } from '../../state/layout.ts';
import type { BuiltLayer } from './built-layer.ts';

/**
 * Takes a layer's tar, uncompressed, into the store; the same bytes always give the same blob.
 * @param produce writes the whole tar and ends nothing; it may wait for `write`'s callback or for `drain`.
 * @returns null for a tar without entries.
 * @throws A3sError `io`, `image_broken` for what is no tar; the signal's reason; what `produce` throws.
 */
export declare function storeLayer(
  layout: Layout,
  lease: Lease,
  produce: (sink: Writable) => Promise<void>,
  signal?: AbortSignal,
): Promise<BuiltLayer | null>;

/**
 * A layer's tar, uncompressed. Its digests are proved once all of it has been read: what was read before counts only then.
 * @throws A3sError `image_broken` naming the blob, while it is being read.
 */
export declare function readLayer(
  layout: Layout,
  layer: Pick<BuiltLayer, 'digest' | 'diffId'>,
): AsyncIterable<Buffer>;
