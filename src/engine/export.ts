/** `export`: a box's root filesystem as a tar archive. */
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

import { openFiles } from '../runtime/files-client.ts';
import { withBoxFiles } from './box-files.ts';
import { tellBox } from './box-tell.ts';
import type { Engine } from './types.ts';

/**
 * Writes the archive, without what is mounted in the box.
 * @param open called for the sink when the box has been found.
 * @throws what withBoxFiles throws; A3sError `io` when the box gives it up.
 */
export function exportBox(engine: Engine, query: string, open: () => Promise<Writable>): Promise<void> {
  let opened: Promise<Writable> | undefined;
  return withBoxFiles(engine, query, { writes: false }, async (record) => {
    const sink = await (opened ??= open());
    const stream = await openFiles(record, { op: 'export' });
    const gone = finished(sink, { readable: false }).finally(() => stream.abort());
    gone.catch(() => {});
    stream.output.pipe(sink, { end: false });
    await Promise.race([finished(stream.output), gone]);
    await stream.done;
    tellBox(engine.layout, record, 'export');
  });
}
