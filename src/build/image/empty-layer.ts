/** The layer of a step that changed nothing: BuildKit gives each of them one. */
import { MediaType } from '../../images/manifest.ts';
import type { BuiltLayer } from '../cache/built-layer.ts';

/** An archive of nothing, two blocks of zeros, in the bytes that Go compresses it to: every registry has it already. */
export const EMPTY_LAYER_BLOB = Buffer.from(
  '1f8b08000000000000ff621805a360148c5800080000ffff2eafb5ef00040000',
  'hex',
);

export const EMPTY_LAYER: BuiltLayer = {
  mediaType: MediaType.ociLayerGzip,
  digest: 'sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1',
  size: EMPTY_LAYER_BLOB.length,
  diffId: 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
  contentBytes: 0,
};
