/** A whole tree as a tar: `-o type=tar`. */
import type { Writable } from 'node:stream';

import { Emitter, emitAll } from './emit.ts';
import type { SourceTree } from './source-tree.ts';
import { TarWriter } from './tar-writer.ts';

/**
 * Writes a root as a tar, parents first, with its end; does not end the sink.
 * @param options.maxMtime no entry is newer, in seconds since 1970; null without
 */
export async function exportTree(
  tree: SourceTree,
  sink: Writable,
  options: { maxMtime: number | null; signal?: AbortSignal },
): Promise<void> {
  const writer = new TarWriter(sink, { maxMtime: options.maxMtime, signal: options.signal });
  const emitter = new Emitter(writer, (leaf) => ({ source: tree, leaf }), options.signal);
  await emitAll(emitter, await tree.open(), '');
  await emitter.finish();
  await writer.end();
}
