/** Joins a process in a box to the caller's stdin, stdout, stderr and terminal, until it ends or the caller leaves. */
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

import { A3sError } from '../../errors.ts';
import type { CommandContext } from '../command.ts';
import { DetachScanner, parseDetachKeys } from './detach-keys.ts';
import type { ProcessResult, ProcessSession } from './session.ts';
import { endOnSignals, proxySignals } from './signal-proxy.ts';
import { rawMode, watchWindow, windowSize } from './terminal.ts';

export interface StreamOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
  sigProxy: boolean;
  /** As given; empty for no way to detach. */
  detachKeys: string;
}

export type StreamEnd =
  | { how: 'ended'; result: ProcessResult }
  | { how: 'detached' }
  /** The caller was told to end and left the process running. */
  | { how: 'left'; exitStatus: number };

/**
 * Resolves when the process has ended and every byte of it has been handed to stdout and stderr.
 * @throws A3sError when the process could not be started or its box was lost
 */
export async function streamSession(
  context: CommandContext,
  session: ProcessSession,
  options: StreamOptions,
): Promise<StreamEnd> {
  const scanner = new DetachScanner(options.tty ? parseDetachKeys(options.detachKeys) : []);
  const output = [
    copyOut(session.stdout, options.stdout ? context.stdout : undefined),
    copyOut(session.stderr, options.stderr ? context.stderr : undefined),
  ];
  const { promise: left, resolve: leave } = Promise.withResolvers<StreamEnd>();
  using scope = new Scope();
  if (options.tty && options.stdin) scope.use(await rawMode(context.stdin));
  if (options.sigProxy) {
    const giveUp = (): void => {
      context.warn('\ngot 3 SIGTERM/SIGINTs, forcefully exiting');
      leave({ how: 'left', exitStatus: 1 });
    };
    scope.use(proxySignals((signal) => session.signal(signal), giveUp));
  } else {
    scope.use(endOnSignals((signal) => leave({ how: 'left', exitStatus: 128 + signal })));
  }
  if (options.stdin) {
    scope.use(copyIn(context.stdin, session.stdin, scanner, () => leave({ how: 'detached' })));
  } else session.stdin.end();
  const ended = session.started.then(async (): Promise<StreamEnd> => {
    if (options.tty) {
      // The size may have changed since it was sent with the request.
      const { rows, cols } = windowSize(context.stdout);
      if (rows !== undefined && cols !== undefined) session.resize(rows, cols);
      scope.use(watchWindow(context.stdout, (newRows, newCols) => session.resize(newRows, newCols)));
    }
    const result = await session.result;
    await Promise.all(output);
    return { how: 'ended', result };
  });
  const end = await Promise.race([ended, left]);
  if (end.how !== 'ended') {
    // What becomes of the process is no longer this command's concern.
    ended.catch(() => {});
    session.detach();
  }
  return end;
}

/** Undoes what was set up, last first. (Node 22 lacks DisposableStack.) */
class Scope implements Disposable {
  private readonly resources: Disposable[] = [];

  use(resource: Disposable): void {
    this.resources.push(resource);
  }

  [Symbol.dispose](): void {
    for (const resource of this.resources.splice(0).toReversed()) resource[Symbol.dispose]();
  }
}

/** The exit status of a process that has ended; a failure to start it is an error. */
export function exitStatusOf(result: ProcessResult): number {
  if (result.error === undefined) return result.exitCode;
  throw new A3sError('start_failed', result.error.message, {
    stage: result.error.stage,
    exitStatus: result.exitCode,
  });
}

/** Copies while the reader keeps up; without a destination, or once its reader has gone, the bytes are dropped. */
async function copyOut(source: Readable, destination: Writable | undefined): Promise<void> {
  // Else the workload would wait for a reader that never comes, and this command for the workload's last byte.
  const drop = (): void => {
    if (destination !== undefined) source.unpipe(destination);
    source.resume();
  };
  if (destination === undefined || destination.destroyed) drop();
  else source.pipe(destination, { end: false });
  destination?.on('error', drop).on('close', drop);
  // A lost connection is told by the session's result.
  await finished(source, { writable: false }).catch(() => {});
  destination?.off('error', drop).off('close', drop);
}

function copyIn(
  source: Readable,
  destination: Writable,
  scanner: DetachScanner,
  onDetach: () => void,
): Disposable {
  const onData = (chunk: Buffer): void => {
    const { pass, detached } = scanner.scan(chunk);
    if (pass.length > 0 && !destination.write(pass)) {
      source.pause();
      destination.once('drain', () => source.resume());
    }
    if (detached) onDetach();
  };
  const onEnd = (): void => void destination.end();
  const stop = (): void => {
    source.removeListener('data', onData);
    source.removeListener('end', onEnd);
    source.pause();
  };
  // A process that has closed its stdin reads no more; that is not an error of the command.
  destination.on('error', stop);
  source.on('error', onEnd);
  source.on('data', onData);
  source.on('end', onEnd);
  return { [Symbol.dispose]: stop };
}
