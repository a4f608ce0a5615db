/** A file of a tree, uncompressed, whatever it is compressed with: its first bytes decide, as with Docker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { A3sError, hasErrno } from '../../../errors.ts';
import { unpacking } from '../../../images/layers/compression.ts';

/** Programs for what Node does not know. */
const PROGRAMS = [
  { magic: '425a68', program: 'bzip2', package: 'bzip2' },
  { magic: 'fd377a585a00', program: 'xz', package: 'xz-utils' },
];
const MAGIC_BYTES = 6;
const COMPLAINT_BYTES = 2048;

/**
 * The uncompressed bytes.
 * @param what for errors
 * @throws A3sError `host_setup` when a program is missing, `io` for damaged bytes that a program complains of; an error that `isDamage`
 *   knows for others.
 */
export async function* decompressed(
  pieces: AsyncIterable<Buffer>,
  what: string,
): AsyncGenerator<Buffer, void, undefined> {
  const rest = pieces[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const { value, done } = await rest.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  const whole = joined(head, rest);
  const magic = head.toString('hex');
  const outside = PROGRAMS.find((known) => magic.startsWith(known.magic));
  if (outside === undefined) yield* unpacking(what)(whole);
  else yield* through(whole, outside, what);
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  try {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    // Whoever stops early lets go of the file.
    await rest.return?.();
  }
}

async function* through(
  pieces: AsyncIterable<Buffer>,
  { program, package: name }: { program: string; package: string },
  what: string,
): AsyncGenerator<Buffer, void, undefined> {
  const child = spawn(program, ['-d', '-c', '-q'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, COMPLAINT_BYTES);
  });
  const ended = once(child, 'close').then(
    ([status]) => (status === 0 ? null : new A3sError('io', `${what}: ${program}: ${complaint.trim()}`)),
    (error: unknown) => cannotRun(program, name, error),
  );
  const fed = pipeline(Readable.from(pieces), child.stdin);
  // How the program ended says why.
  fed.catch(() => undefined);
  try {
    for await (const piece of child.stdout) yield Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
    const failure = await ended;
    if (failure !== null) throw failure;
    await fed;
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
    await ended;
  }
}

function cannotRun(program: string, name: string, cause: unknown): A3sError {
  if (!hasErrno(cause, 'ENOENT'))
    return new A3sError('io', `cannot run ${program}: ${String(cause)}`, { cause });
  return new A3sError('host_setup', `${program} is not installed`, {
    hint: `install it: apt-get install ${name}`,
    cause,
  });
}
