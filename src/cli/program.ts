/** The program: the only owner of the exit status. */
import { dispatch } from '../commands/dispatch.ts';
import { renderUnexpected } from '../commands/failure.ts';
import type { Reserved } from '../engine/reserve.ts';
import type { Engine } from '../engine/types.ts';
import { hasErrno } from '../errors.ts';
import { takeTraceFailure, trace } from '../trace.ts';

/** Status of a process that SIGPIPE ended; what a shell shows for a client whose reader went away. */
const READER_GONE = 128 + 13;

let debug = process.env['A3S_DEBUG'] === '1';

function fail(error: unknown): never {
  process.stderr.write(renderUnexpected(error, debug));
  process.exit(1);
}

/** Once: what is traced was asked for by this command's caller, and goes on without. */
function tellOfTrace(): void {
  const failure = takeTraceFailure();
  if (failure !== '') process.stderr.write(`WARNING: no trace: ${failure}\n`);
}

/** Waits until everything written has left the process. */
function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}

async function openEngine(reserved: Reserved): Promise<Engine> {
  const engine = await import('../engine/engine.ts');
  return engine.openEngine((line) => process.stderr.write(`${line}\n`), reserved);
}

/** Runs the command line of this process to its end. `reserved` is for the box of a `run` or `start`. */
export function program(reserved: Reserved): void {
  trace('command: program loaded');
  process.on('uncaughtException', fail);
  main(reserved).catch(fail);
}

async function main(reserved: Reserved): Promise<void> {
  process.stdout.on('error', (error) => {
    if (hasErrno(error, 'EPIPE')) process.exit(READER_GONE);
    fail(error);
  });
  // Without a reader for complaints the work still goes on.
  process.stderr.on('error', () => {});
  tellOfTrace();
  // What leaves by running out of things to wait for has not done its work.
  process.exitCode = 1;
  const status = await dispatch(process.argv.slice(2), {
    env: process.env,
    // A getter: opening stdin costs start-up time and most commands never read it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    columns: process.stdout.columns,
    enableDebug: () => {
      debug = true;
    },
    debug: () => debug,
    engine: () => openEngine(reserved),
  });
  tellOfTrace();
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  trace('command: its work, and its output');
  process.exit(status);
}
