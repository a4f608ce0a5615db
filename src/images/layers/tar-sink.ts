/** The end of a pipeline that reads a layer's tar. */
import { Writable } from 'node:stream';

import type { TarReader } from './tar/reader.ts';

/** @param settled awaited after each piece, so that whoever takes the content sets the pace. */
export function tarSink(reader: TarReader, settled: () => Promise<void> = async () => undefined): Writable {
  const step = async (read: () => void, done: (error?: Error) => void): Promise<void> => {
    try {
      read();
      await settled();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done();
  };
  return new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => void step(() => reader.push(chunk), done),
    final: (done) => void step(() => reader.end(), done),
  });
}
