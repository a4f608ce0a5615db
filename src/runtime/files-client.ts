/** What the agent does with a box's files and processes, through exec.sock. docs/protocol.md, "files". */
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { A3sError } from '../errors.ts';
import type { BoxRecord } from '../state/record.ts';
import { openStream } from './exec-client.ts';
import { guestText } from './protocol/guest-text.ts';

/** Paths are absolute in the box. */
export type FilesRequest =
  | { op: 'stat' | 'get' | 'put'; path: string }
  | { op: 'changes' | 'export' | 'processes' | 'usage' }
  /** With `freeze` the box's processes stand still meanwhile. */
  | { op: 'layer'; freeze: boolean };

export interface FilesStream {
  readonly output: Readable;
  readonly input: Writable;
  /** Settles when the agent is done: rejects with A3sError `io` in its words, `box_not_running` when the box ended. */
  readonly done: Promise<void>;
  /** Gives the request up. */
  abort(): void;
}

/** The exit status of an agent that found nothing at the path. */
const NOT_FOUND = 127;
const MAX_COMPLAINT = 4096;
/** A list of processes is for people: even a large one is far smaller. */
const MAX_ANSWER = 32 * 1024 * 1024;

/**
 * Starts a request.
 * @throws A3sError `no_such_file` with the agent's words, `usage` for a path that does not fit the request, `io`, `box_not_running`.
 */
export async function openFiles(record: BoxRecord, request: FilesRequest): Promise<FilesStream> {
  const session = await openStream(record, '/files', request);
  const complaint = session.stderr.toArray().then((pieces) => Buffer.concat(pieces).toString());
  complaint.catch(() => {});
  try {
    await session.started;
  } catch (error) {
    throw refusal(error);
  }
  const done = session.result.then(async ({ exitCode }) => {
    if (exitCode === 0) return;
    const words = guestText((await complaint).slice(0, MAX_COMPLAINT));
    throw new A3sError('io', words === '' ? `the box gave the request up (status ${exitCode})` : words);
  });
  // A caller may fail before it looks.
  done.catch(() => {});
  return {
    output: session.stdout,
    input: session.stdin,
    done,
    abort: () => session.detach(),
  };
}

/**
 * A request whose whole answer is JSON.
 * @throws what openFiles throws; A3sError `guest_protocol` for what is no JSON.
 */
export async function askFiles(record: BoxRecord, request: FilesRequest): Promise<unknown> {
  const answer = await readAll(await openFiles(record, request), MAX_ANSWER);
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
