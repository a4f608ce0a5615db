/** Takes an archive of images apart: its files into a spool, its links resolved. */
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { A3sError } from '../../errors.ts';
import { isDamage, unpacking } from '../layers/compression.ts';
import { Budget } from '../layers/limits.ts';
import type { TarEntry } from '../layers/tar/entry.ts';
import { TarReader } from '../layers/tar/reader.ts';
import { tarSink } from '../layers/tar-sink.ts';
import type { Spool, SpooledFile, SpoolWriter } from './spool.ts';

/** Links of old archives go one step. */
const MAX_LINKS = 8;

/** The files of an archive by their cleaned names. */
export interface Archive {
  file(name: string): SpooledFile | undefined;
}

export interface ReadProgress {
  /** A file of the archive, and how much of it has come. */
  file(name: string, done: number, total: number): void;
}

/**
 * Reads a tar, or a compressed one, to its end.
 * @throws A3sError `image_broken` when it is none, `unsupported` for other compressions, `io`.
 */
export async function readArchive(input: Readable, spool: Spool, progress: ReadProgress): Promise<Archive> {
  const files = new Map<string, SpooledFile>();
  const links = new Map<string, string>();
  let open: { name: string; writer: SpoolWriter; size: number; done: number } | undefined;
  const finish = (): void => {
    if (open !== undefined) files.set(open.name, open.writer.end());
    open = undefined;
  };
  const reader = new TarReader(damaged, new Budget(), {
    entry(entry) {
      finish();
      const name = cleanName(entry.name);
      const target = linkTarget(entry, name);
      if (target !== undefined) links.set(name, target);
      if (entry.type === 'file' && entry.sparse === null) {
        open = { name, writer: spool.create(), size: entry.size, done: 0 };
      }
    },
    content(bytes) {
      if (open === undefined) return;
      open.writer.write(bytes);
      open.done += bytes.length;
      progress.file(open.name, open.done, open.size);
    },
  });
  try {
    await pipeline(input, unpacking('the archive'), tarSink(reader));
  } catch (error) {
    throw isDamage(error) ? damaged('its compression is damaged') : error;
  }
  finish();
  return { file: (name) => files.get(resolve(cleanName(name), links)) };
}

function damaged(what: string): A3sError {
  return new A3sError('image_broken', `cannot read the archive: ${what}`, {
    hint: 'it must be what `docker save` or `a3s-box save` writes, or an OCI image layout in a tar',
  });
}

/** Names are keys here, never paths on the host. */
function cleanName(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return posix.normalize(`/${text}`).slice(1).replace(/\/$/, '');
}

function linkTarget({ type, link }: TarEntry, name: string): string | undefined {
  if (type === 'hardlink') return cleanName(link);
  return type === 'symlink' ? cleanName(posix.join(posix.dirname(name), link)) : undefined;
}

function resolve(name: string, links: ReadonlyMap<string, string>): string {
  let at = name;
  for (let n = 0; n < MAX_LINKS; n += 1) {
    const target = links.get(at);
    if (target === undefined) return at;
    at = target;
  }
  return at;
}
