/** `diff`: what a box has changed of its image. */
import { A3sError } from '../errors.ts';
import { openFiles } from '../runtime/files-client.ts';
import { withBoxFiles } from './box-files.ts';
import type { Engine } from './types.ts';

export interface Change {
  kind: 'A' | 'C' | 'D';
  /** Absolute in the box. */
  path: string;
}

/** A path of the kernel's length at most, its letter in front. */
const MAX_ENTRY = 4096 * 16;

/**
 * The changes in the order of the tree, a directory before what is in it.
 * @throws what withBoxFiles throws.
 */
export function boxChanges(engine: Engine, query: string): Promise<Change[]> {
  return withBoxFiles(engine, query, { writes: false, repeats: true }, async (record) => {
    const stream = await openFiles(record, { op: 'changes' });
    const changes: Change[] = [];
    let rest: Buffer = Buffer.alloc(0);
    for await (const piece of stream.output as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let at = 0;
      for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, at)) {
        changes.push(parseChange(bytes.toString('utf8', at, end)));
        at = end + 1;
      }
      rest = bytes.subarray(at);
      if (rest.length > MAX_ENTRY) throw senseless();
    }
    await stream.done;
    return changes;
  });
}

function parseChange(text: string): Change {
  const kind = text[0];
  if ((kind !== 'A' && kind !== 'C' && kind !== 'D') || text[1] !== '/') throw senseless();
  return { kind, path: text.slice(1) };
}

function senseless(): A3sError {
  return new A3sError('guest_protocol', 'the box sent a list of changes that makes no sense');
}
