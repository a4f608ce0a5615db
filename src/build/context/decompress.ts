/** Archives that users hand over come in any compression that Docker takes: gzip and zstd by zlib, bzip2 and xz by their programs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { A3sError, hasErrno } from '../../errors.ts';
import { isDamage, unpacking } from '../../images/layers/compression.ts';

/** Enough to tell each of them by. */
const MAGIC_BYTES = 6;
const STDERR_KEPT = 2048;
/** What the largest of xz's presets needs is a quarter of it; a hostile file may ask for 4 GiB. */
const XZ_MEMORY = '256MiB';

interface Program {
  magic: string;
  name: string;
  args: string[];
  package: string;
}

const PROGRAMS: readonly Program[] = [
  { magic: '425a68', name: 'bzip2', args: ['-dc'], package: 'bzip2' },
  {
    magic: 'fd377a585a00',
    name: 'xz',
    args: ['-dc', '--format=xz', `--memlimit-decompress=${XZ_MEMORY}`],
    package: 'xz-utils',
  },
];

/**
 * A step of a pipeline that unpacks; what is not compressed passes as it is. Leaving it early ends its program.
 * @param what for errors, e.g. `the context`
 * @throws A3sError `invalid_config` for damaged bytes, `host_setup` without the program for bzip2 or xz
 */
export function decompressing(what: string, env: NodeJS.ProcessEnv) {
  return async function* decompress(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const [head, whole] = await peek(source, MAGIC_BYTES);
    const program = PROGRAMS.find(({ magic }) => startsWith(head, magic));
    try {
      yield* program === undefined ? unpacking(what)(whole) : through(program, whole, what, env);
    } catch (error) {
      throw isDamage(error) ? damaged(what, error) : error;
    }
  };
}

/** True when the bytes are the beginning of a compressed file that `decompressing` knows. */
export function isCompressed(head: Buffer): boolean {
  return ['1f8b08', '28b52ffd', ...PROGRAMS.map(({ magic }) => magic)].some((magic) =>
    startsWith(head, magic),
  );
}

/** The first bytes, fewer at the end of the source, and all of it from the beginning. */
export async function peek(
  source: AsyncIterable<Buffer>,
  length: number,
): Promise<[head: Buffer, whole: AsyncGenerator<Buffer>]> {
  const pieces = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < length) {
    const { value, done } = await pieces.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  return [head, joined(head, pieces)];
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

function startsWith(head: Buffer, hex: string): boolean {
  return head.subarray(0, hex.length / 2).equals(Buffer.from(hex, 'hex'));
}

async function* through(
  program: Program,
  source: AsyncIterable<Buffer>,
  what: string,
  env: NodeJS.ProcessEnv,
): AsyncGenerator<Buffer> {
  const child = spawn(program.name, program.args, { env: { PATH: env['PATH'], LC_ALL: 'C' } });
  await once(child, 'spawn').catch((error: unknown) => {
    throw cannotRun(program, what, error);
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, STDERR_KEPT);
  });
  const ended = once(child, 'close');
  const fed = pipeline(Readable.from(source), child.stdin).catch((error: unknown) => {
    // How the process ended tells what broke the pipe; a source that fails ends the process.
    if (hasErrno(error, 'EPIPE')) return;
    child.kill('SIGKILL');
    throw error;
  });
  fed.catch(() => undefined);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    await fed;
    const [status] = await ended;
    if (status !== 0) throw damaged(what, complaint.trim());
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
  }
}

function damaged(what: string, cause: unknown): A3sError {
  const words = typeof cause === 'string' && cause !== '' ? `: ${cause}` : '';
  return new A3sError('invalid_config', `${what} cannot be unpacked: its compression is damaged${words}`, {
    cause,
  });
}

function cannotRun({ name, package: from }: Program, what: string, cause: unknown): A3sError {
  if (!hasErrno(cause, 'ENOENT')) {
    return new A3sError('io', `cannot run ${name}: ${String(cause)}`, { cause });
  }
  return new A3sError('host_setup', `${what} is compressed with ${name}, which is not installed`, {
    hint: `install it: apt-get install ${from}`,
    cause,
  });
}
