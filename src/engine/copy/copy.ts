/** `cp`: files into a box and out of it, by Docker's rules (docker/cli, command/container/cp.go), streamed. */
import { closeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

import { A3sError } from '../../errors.ts';
import { askFiles, type FilesRequest, type FilesStream, openFiles } from '../../runtime/files-client.ts';
import type { BoxRecord } from '../../state/record.ts';
import { objectOr } from '../../json.ts';
import { withBoxFiles } from '../box-files.ts';
import { tellBox } from '../box-tell.ts';
import type { Engine } from '../types.ts';
import { openTop } from '../../confined.ts';
import { extractor } from './extract.ts';
import { localDestination, localSource } from './local.ts';
import { pack } from './pack.ts';
import { checkWritable } from './read-only.ts';
import { boxPath, type Destination, splitPath, targetOf } from './paths.ts';

/** A path of a box, as the user wrote it. */
export interface BoxPlace {
  box: string;
  path: string;
}

export interface CopyOptions {
  /** Files keep their owners (`-a`). */
  owners: boolean;
  /** A link that is named as the source is followed (`-L`). */
  follow: boolean;
}

export interface Copied {
  /** Bytes of the archive that crossed. */
  bytes: number;
  /** Where it went, as Docker names it. */
  to: string;
}

const KIND = 0o170_000;
const DIRECTORY = 0o040_000;
const REGULAR = 0o100_000;
const LINK = 0o120_000;

interface BoxStat {
  mode: number;
  /** Where a link leads in the end. */
  target: string;
}

/**
 * Copies a path of the host, or an archive (plain, gzip or zstd), into a box.
 * @throws A3sError `usage` in Docker's words, `no_such_file`, what withBoxFiles throws.
 */
export async function copyIn(
  engine: Engine,
  source: string | Readable,
  place: BoxPlace,
  { owners, follow }: CopyOptions,
): Promise<Copied> {
  // What is wrong here needs no box to be told.
  const local = typeof source === 'string' ? localSource(source, follow) : null;
  const archive = typeof source === 'string' ? null : source;
  return withBoxFiles(engine, place.box, { writes: true }, async (record) => {
    const destination = await boxDestination(record, place);
    if (local !== null) {
      const { directory, rename } = targetOf(local, destination);
      const top = openTop(local.directory);
      try {
        const title = rename?.to ?? local.title ?? local.name;
        const bytes = await send(record, place, directory, pack(top, local.name, { title, owners }));
        tellBox(engine.layout, record, 'extract-to-dir');
        return { bytes, to: `${place.box}:${destination.path}` };
      } finally {
        closeSync(top);
      }
    }
    if (archive === null || !destination.isDirectory) {
      throw new A3sError('usage', `destination "${place.box}:${place.path}" must be a directory`);
    }
    const { plainArchive } = await import('./plain-archive.ts');
    const bytes = await send(record, place, destination.path, plainArchive(archive));
    tellBox(engine.layout, record, 'extract-to-dir');
    return { bytes, to: `${place.box}:${destination.path}` };
  });
}

/**
 * Copies a path of a box onto the host, or as an archive to `sink`.
 * @throws as copyIn; `guest_protocol` for an archive that leads out of its destination.
 */
export async function copyOut(
  engine: Engine,
  place: BoxPlace,
  sink: string | Writable,
  { owners, follow }: CopyOptions,
): Promise<Copied> {
  // What is wrong here needs no box to be told.
  if (typeof sink === 'string') localDestination(sink);
  return withBoxFiles(engine, place.box, { writes: false }, async (record) => {
    let path = boxPath(place.path);
    let stat = await statBox(record, path);
    let title: string | null = null;
    if (follow && stat !== null && (stat.mode & KIND) === LINK) {
      const { base } = splitPath(path);
      path = stat.target;
      title = base === '.' ? null : base;
      stat = await statBox(record, path);
    }
    if (stat === null) throw missing(place, place.path);
    if (typeof sink !== 'string') {
      const stream = await open(record, place, { op: 'get', path });
      tellBox(engine.layout, record, 'archive-path');
      return { bytes: await passOn(stream, sink), to: '-' };
    }
    const own = splitPath(path).base;
    const source = { path, isDirectory: (stat.mode & KIND) === DIRECTORY, title: null };
    const target = targetOf(source, localDestination(sink));
    const rename = title === null || target.rename !== null ? target.rename : { from: own, to: title };
    const stream = await open(record, place, { op: 'get', path });
    tellBox(engine.layout, record, 'archive-path');
    const bytes = await unpack(stream, target.directory, {
      owners,
      rename,
      notify: engine.notify,
    });
    return { bytes, to: sink };
  });
}

/** What is at the destination; a link there is followed to what may not be there yet. */
async function boxDestination(record: BoxRecord, place: BoxPlace): Promise<Destination> {
  let path = boxPath(place.path);
  let stat = await statBox(record, path);
  if (stat !== null && (stat.mode & KIND) === LINK) {
    path = stat.target;
    stat = await statBox(record, path);
  }
  if (stat === null) return { path, exists: false, isDirectory: false };
  const kind = stat.mode & KIND;
  if (kind !== DIRECTORY && kind !== REGULAR && kind !== LINK) {
    const where = `${place.box}:${place.path}`;
    throw new A3sError('usage', `destination "${where}" must be a directory or a regular file: got a device`);
  }
  return { path, exists: true, isDirectory: kind === DIRECTORY };
}

async function statBox(record: BoxRecord, path: string): Promise<BoxStat | null> {
  try {
    const answer = objectOr(await askFiles(record, { op: 'stat', path }));
    const { mode, link_target: target } = answer;
    if (typeof mode !== 'number') throw new A3sError('guest_protocol', 'the box sent no mode');
    return { mode, target: typeof target === 'string' ? boxPath(target) : '' };
  } catch (error) {
    if (error instanceof A3sError && error.code === 'no_such_file') return null;
    throw error;
  }
}

async function open(record: BoxRecord, place: BoxPlace, request: FilesRequest): Promise<FilesStream> {
  try {
    return await openFiles(record, request);
  } catch (error) {
    const gone = error instanceof A3sError && error.code === 'no_such_file' && 'path' in request;
    throw gone ? missing(place, request.path) : error;
  }
}

function missing(place: BoxPlace, path: string): A3sError {
  return new A3sError('no_such_file', `Could not find the file ${path} in container ${place.box}`);
}

/** @returns the archive's bytes. */
async function send(
  record: BoxRecord,
  place: BoxPlace,
  directory: string,
  archive: AsyncIterable<Buffer>,
): Promise<number> {
  checkWritable(record, directory);
  const stream = await open(record, place, { op: 'put', path: directory });
  stream.output.resume();
  let bytes = 0;
  let over = false;
  const ended = stream.done.finally(() => (over = true));
  ended.catch(() => {});
  try {
    for await (const piece of archive) {
      if (over) break;
      bytes += piece.length;
      await stream.send(piece);
    }
    await stream.end();
  } catch (error) {
    stream.abort();
    throw error;
  }
  await stream.done;
  return bytes;
}

/** @returns the archive's bytes. */
async function passOn(stream: FilesStream, sink: Writable): Promise<number> {
  let bytes = 0;
  stream.output.on('data', (piece: Buffer) => (bytes += piece.length));
  const gone = finished(sink, { readable: false }).finally(() => stream.abort());
  gone.catch(() => {});
  stream.output.pipe(sink, { end: false });
  await Promise.race([finished(stream.output), gone]);
  await stream.done;
  return bytes;
}

/** @returns the archive's bytes. */
async function unpack(
  stream: FilesStream,
  directory: string,
  options: Parameters<typeof extractor>[1],
): Promise<number> {
  const top = openTop(directory);
  try {
    using files = extractor(top, options);
    let bytes = 0;
    for await (const piece of stream.pieces()) {
      bytes += piece.length;
      files.reader.push(piece);
    }
    await stream.done;
    files.finish();
    return bytes;
  } catch (error) {
    stream.abort();
    throw error;
  } finally {
    closeSync(top);
  }
}
