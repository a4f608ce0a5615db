/** `RUN --mount=type=bind`: what a mount shows. */
import { PassThrough } from 'node:stream';

import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { followLinks, isDirectory, nodeAt } from '../../images/layers/tree.ts';
import { Emitter, emitAll } from '../tree/emit.ts';
import type { SourceTree } from '../tree/source-tree.ts';
import { TarWriter } from '../tree/tar-writer.ts';
import { digestOf } from './content-digest.ts';
import { namesOf } from './destination.ts';
import { notFound, sourceFailure } from './failure.ts';
import { Selection } from './selection.ts';
import { type Match, matchOf } from './sources.ts';

export interface MountContent {
  /** Of names, types, modes, owners, links, attributes and contents. */
  contentDigest: string;
  /** Entries relative to the mount's target, without one for the target itself; of a single file, one entry of that name. */
  tar(signal?: AbortSignal): AsyncIterable<Buffer>;
  /** The name of the entry if it is one file; null for a directory. */
  single: string | null;
  /** Of the directory itself; null for a file, and where nothing is known of it. */
  top: TarEntry | null;
}

/**
 * @param path of the mount's `source`, in the tree; links are followed inside of it
 * @throws DockerfileError in BuildKit's words when it is not there
 */
export async function selectForMount(
  source: SourceTree,
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<MountContent> {
  const root = await source.open();
  const names = followLinks(root, namesOf(path));
  if (names === null) throw sourceFailure(source, 'too many links');
  const node = nodeAt(root, names);
  if (node === undefined) throw notFound(source, `/${namesOf(path).join('/')}`);
  const isFile = !isDirectory(node);
  const shown: Shown = { source, name: isFile ? (names.at(-1) ?? '') : '', node };
  // What is known to be the same without a look need not be read.
  const known = names.length === 0 ? source.identity : null;
  return {
    contentDigest: known ?? (await digestOfAll(shown, options.signal)),
    tar: (signal) => tarOf(shown, signal),
    single: isFile ? shown.name : null,
    top: isDirectory(node) ? node.entry : null,
  };
}

type Shown = Pick<Match, 'source' | 'name' | 'node'>;

async function digestOfAll(shown: Shown, signal: AbortSignal | undefined): Promise<string> {
  const everything = new Selection({ include: null, exclude: [] });
  return digestOf([await matchOf(shown.source, shown, everything, signal)], signal);
}

async function* tarOf(
  { source, node, name }: Shown,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  const through = new PassThrough();
  const written = write(through).then(
    () => through.end(),
    (error: unknown) => through.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    for await (const piece of through) yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
  } finally {
    through.destroy();
    await written;
  }

  async function write(sink: PassThrough): Promise<void> {
    const writer = new TarWriter(sink, { maxMtime: null, signal });
    const emitter = new Emitter(writer, (leaf) => ({ source, leaf }), signal);
    if (isDirectory(node)) await emitAll(emitter, node, '');
    else await emitter.leaf(name, node);
    await emitter.finish();
    await writer.end();
  }
}
