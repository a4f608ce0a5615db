/** The second reading: what is left of the layers after merging goes into one tar. */
import type { Layer } from '../image.ts';
import { unpackLayer } from '../verify.ts';
import type { Archive } from './archive.ts';
import { Budget, errorOf, layerError } from './limits.ts';
import { TarReader } from './tar/reader.ts';
import { tarSink } from './tar-sink.ts';
import { type Directory, isDirectory, type Leaf, PLAIN_DIRECTORY, walk } from './tree.ts';

/** Files whose content is in one layer, by their ordinals. */
type Wanted = Map<number, Leaf>;

/** Writes everything without content first, then each layer's files as they come. Hard links may stand before their targets. */
export async function emitMerged(
  root: string,
  layers: readonly Layer[],
  tree: Directory,
  archive: Archive,
): Promise<void> {
  const image = layers.at(-1)?.digest ?? '';
  const wanted: Wanted[] = layers.map(() => new Map());
  archive.begin(tree.entry ?? PLAIN_DIRECTORY, '', '', image);
  let count = 0;
  for (const [path, node] of walk(tree)) {
    if (isDirectory(node)) archive.begin(node.entry ?? PLAIN_DIRECTORY, path, '', image);
    else emitLeaf(node, path);
    count += 1;
    if (count % 256 === 0) await archive.settled();
  }
  await archive.settled();
  for (const [n, layer] of layers.entries()) {
    const files = wanted[n];
    if (files !== undefined && files.size > 0) await emitContent(root, layer, files, archive);
  }

  function emitLeaf(leaf: Leaf, path: string): void {
    const digest = layers[leaf.layer]?.digest ?? image;
    if (leaf.path !== '') {
      archive.begin({ ...PLAIN_DIRECTORY, type: 'hardlink' }, path, leaf.path, digest);
      return;
    }
    leaf.path = path;
    if (leaf.entry.type === 'file') wanted[leaf.layer]?.set(leaf.ordinal, leaf);
    else archive.begin(leaf.entry, path, leaf.entry.link, digest);
  }
}

async function emitContent(root: string, layer: Layer, files: Wanted, archive: Archive): Promise<void> {
  let ordinal = -1;
  let current: Leaf | null = null;
  const endCurrent = (): void => {
    if (current !== null) archive.endContent(current.entry);
  };
  const reader = new TarReader(errorOf(layer.digest), new Budget(), {
    entry(entry) {
      endCurrent();
      ordinal += 1;
      current = files.get(ordinal) ?? null;
      if (current === null) return;
      // The tree was made from the first reading.
      if (current.entry.size !== entry.size) throw layerError(layer.digest, 'it changed while it was read');
      archive.begin(current.entry, current.path, '', layer.digest);
    },
    content: (bytes) => {
      if (current !== null) archive.content(bytes);
    },
  });
  await unpackLayer(root, layer, tarSink(reader, archive.settled));
  endCurrent();
}
