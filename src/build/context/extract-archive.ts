/** A context that comes as an archive, unpacked into a directory of the build's own. */
import { closeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import { openTop } from '../../confined.ts';
import { A3sError } from '../../errors.ts';
import { Budget, MAX_PATH_BYTES, quoted } from '../../images/layers/limits.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { type TarHandler, TarReader } from '../../images/layers/tar/reader.ts';
import { tarSink } from '../../images/layers/tar-sink.ts';
import { abortable } from './abortable.ts';
import { ArchiveExtractor } from './archive-extractor.ts';
import { decompressing } from './decompress.ts';
import type { EntryAttributes } from './types.ts';

const WHAT = 'the context';

/**
 * @param input a tar, plain or compressed
 * @param directory empty
 * @returns what the files on the host do not show, by path
 * @throws A3sError `invalid_config` for an archive that makes no sense or holds more than an image may, `io`
 */
export async function extractArchive(
  input: AsyncIterable<Buffer>,
  directory: string,
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<ReadonlyMap<string, EntryAttributes>> {
  const top = openTop(directory);
  try {
    using extractor = new ArchiveExtractor(top, MAX_PATH_BYTES - 2 - Buffer.byteLength(directory));
    const reader = new TarReader(unsound, new Budget('it'), explained(extractor));
    await pipeline(abortable(input, signal), decompressing(WHAT, env), tarSink(reader), { signal });
    return extractor.finish();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    closeSync(top);
  }
}

/** What the host's file system refuses is told with the entry it was for. */
function explained(extractor: TarHandler): TarHandler {
  let last = '';
  const tell = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (error instanceof A3sError) throw error;
      const reason = error instanceof Error ? error.message.replace(/, .*$/, '') : String(error);
      throw new A3sError('io', `cannot unpack ${quoted(last)} of ${WHAT}: ${reason}`, { cause: error });
    }
  };
  return {
    entry(entry: TarEntry) {
      last = entry.name;
      tell(() => extractor.entry(entry));
    },
    content: (bytes) => tell(() => extractor.content(bytes)),
  };
}

function unsound(what: string): A3sError {
  return new A3sError('invalid_config', `${WHAT} is no sound archive: ${what}`);
}
