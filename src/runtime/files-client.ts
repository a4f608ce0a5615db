/** What the agent does with a box's files and processes, through exec.sock. docs/protocol.md, "files". */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { A3sError } from '../errors.ts';
import { transferFile } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { openStream } from './exec-client.ts';
import type { MessageSession } from './message-session.ts';
import { guestText } from './protocol/guest-text.ts';
import { grantsTransfer } from './protocol/result.ts';
import { TransferDisk } from './transfer/disk.ts';
import { TransferReceiver } from './transfer/receiver.ts';
import { TransferSender } from './transfer/sender.ts';

/** Paths are absolute in the box. */
export type FilesRequest =
  | { op: 'stat' | 'get' | 'put'; path: string }
  | { op: 'changes' | 'export' | 'processes' | 'usage' }
  /** With `freeze` the box's processes stand still meanwhile. */
  | { op: 'layer'; freeze: boolean };

export interface FilesStream {
  /** What the agent gives, piece by piece: each is good until the next is asked for. Either this is read or `output`. */
  pieces(): AsyncIterable<Buffer>;
  readonly output: Readable;
  /** Gives the agent a piece, which may be used again once this has resolved if it is of 64 KiB or more. */
  send(piece: Buffer): Promise<void>;
  /** There is no more to give. */
  end(): Promise<void>;
  /** Settles when the agent is done: rejects with A3sError `io` in its words, `box_not_running` when the box ended. */
  readonly done: Promise<void>;
  /** Gives the request up. */
  abort(): void;
}

/** The requests that are answered with archives, or bring one. */
const ARCHIVES: ReadonlySet<string> = new Set(['get', 'put', 'export', 'layer']);
/** The exit status of an agent that found nothing at the path. */
const NOT_FOUND = 127;
const MAX_COMPLAINT = 4096;
/** A list of processes is for people: even a large one is far smaller. */
const MAX_ANSWER = 32 * 1024 * 1024;

/**
 * Starts a request, which ends with `signal`. An archive crosses by way of the VM's transfer disk when that is there and nobody else's.
 * @throws A3sError `no_such_file` with the agent's words, `usage` for a path that does not fit the request, `io`, `box_not_running`.
 */
export async function openFiles(
  record: BoxRecord,
  request: FilesRequest,
  signal?: AbortSignal,
): Promise<FilesStream> {
  let disk = ARCHIVES.has(request.op) ? TransferDisk.open(transferFile(record.box_dir)) : null;
  try {
    const asked = disk === null ? request : { ...request, transfer: true };
    const session = await openStream(record, '/files', asked, '', signal);
    const complaint = session.stderr.toArray().then((pieces) => Buffer.concat(pieces).toString());
    complaint.catch(() => {});
    await session.started;
    const done = session.result.then(async ({ exitCode }) => {
      if (exitCode === 0) return;
      const words = guestText((await complaint).slice(0, MAX_COMPLAINT));
      throw new A3sError('io', words === '' ? `the box gave the request up (status ${exitCode})` : words);
    });
    // A caller may fail before it looks.
    done.catch(() => {});
    if (disk === null || !isGranted(session)) return plainStream(session, done);
    const granted = disk;
    disk = null;
    return request.op === 'put'
      ? sendingStream(session, granted, done)
      : givingStream(session, granted, done);
  } catch (error) {
    throw refusal(error);
  } finally {
    disk?.close();
  }
}

/** Everything over the stream. */
function plainStream(session: MessageSession, done: Promise<void>): FilesStream {
  const { stdin, stdout } = session;
  let isOver = false;
  // Whatever ends the request early also ends the wait for room.
  void whenSettled(done, () => {
    isOver = true;
    stdin.emit('drain');
  });
  return {
    pieces: () => stdout as AsyncIterable<Buffer>,
    output: stdout,
    send: async (piece) => {
      if (!isOver && !stdin.write(piece)) await once(stdin, 'drain');
    },
    end: async () => void stdin.end(),
    done,
    abort: () => session.detach(),
  };
}

/** An archive to the agent. */
function sendingStream(session: MessageSession, disk: TransferDisk, done: Promise<void>): FilesStream {
  const sender = new TransferSender(disk, (bytes) => void session.stdin.write(bytes));
  const misled = Promise.withResolvers<never>();
  session.stdout.on('data', (bytes: Buffer) => {
    try {
      sender.heard(bytes);
    } catch (error) {
      misled.reject(error);
      session.detach();
    }
  });
  const over = Promise.race([done, misled.promise]);
  void whenSettled(over, () => {
    sender.stop();
    disk.close();
  });
  return {
    pieces: () => Readable.from([]),
    output: Readable.from([]),
    send: (piece) => sender.write(piece),
    end: async () => {
      await sender.end();
      session.stdin.end();
    },
    done: over,
    abort: () => {
      session.detach();
      disk.close();
    },
  };
}

/** An archive from the agent. */
function givingStream(session: MessageSession, disk: TransferDisk, done: Promise<void>): FilesStream {
  const receiver = new TransferReceiver(disk, (bytes) => void session.stdin.write(bytes));
  async function* pieces(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const bytes of session.stdout as AsyncIterable<Buffer>) {
        yield* receiver.take(bytes);
        if (receiver.ended) session.stdin.end();
      }
      await done;
      if (!receiver.ended) throw new A3sError('guest_protocol', 'the box sent half an archive');
    } finally {
      disk.close();
    }
  }
  let output: Readable | undefined;
  return {
    pieces,
    get output() {
      output ??= Readable.from(copies(pieces()), { objectMode: false });
      return output;
    },
    send: () => Promise.resolve(),
    end: () => Promise.resolve(),
    done,
    abort: () => {
      session.detach();
      disk.close();
    },
  };
}

/** Acts once the work is over, whichever way it went. */
async function whenSettled(work: Promise<unknown>, act: () => void): Promise<void> {
  await work.catch(() => {});
  act();
}

function isGranted({ startedWith }: MessageSession): boolean {
  try {
    return grantsTransfer(startedWith);
  } catch (cause) {
    throw new A3sError('guest_protocol', 'the box sent something unintelligible', { cause });
  }
}

/** Pieces that stay good. */
async function* copies(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

/**
 * A request whose whole answer is JSON. It ends with `signal`.
 * @throws what openFiles throws; A3sError `guest_protocol` for what is no JSON.
 */
export async function askFiles(
  record: BoxRecord,
  request: FilesRequest,
  signal?: AbortSignal,
): Promise<unknown> {
  const answer = await readAll(await openFiles(record, request, signal), MAX_ANSWER);
  try {
    return JSON.parse(answer);
  } catch (cause) {
    throw new A3sError('guest_protocol', 'the box sent an answer that is not JSON', { cause });
  }
}

/**
 * The whole answer as text.
 * @throws A3sError `guest_protocol` when it is longer than `limit` bytes; what `done` throws.
 */
export async function readAll(stream: FilesStream, limit: number): Promise<string> {
  let size = 0;
  stream.output.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size > limit) stream.output.destroy(new A3sError('guest_protocol', 'the box sent an endless answer'));
  });
  const answer = await text(stream.output);
  await stream.done;
  return answer;
}

function refusal(error: unknown): unknown {
  if (!(error instanceof A3sError) || error.code !== 'start_failed') return error;
  if (error.stage !== 'path') return new A3sError('io', error.message, { cause: error });
  const missing = error.exitStatus === NOT_FOUND;
  return new A3sError(missing ? 'no_such_file' : 'invalid_config', error.message, { cause: error });
}
