/** Which streams `run` joins, and what its end means. */
import type { CommandContext } from '../command.ts';
import type { ProcessSession } from './session.ts';
import { exitStatusOf, streamSession } from './stream.ts';

export interface Streams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** All that are open, or those that `-a` names. */
export function streamsOf(flags: {
  attach: readonly string[];
  interactive: boolean;
  detach: boolean;
}): Streams {
  const wants = (name: string): boolean => flags.attach.length === 0 || flags.attach.includes(name);
  return {
    stdin: !flags.detach && flags.interactive && wants('stdin'),
    stdout: !flags.detach && wants('stdout'),
    stderr: !flags.detach && wants('stderr'),
  };
}

/** Streams until the workload ends; returns its exit status. Detaching counts as success, as in Docker. */
export async function finishRun(
  context: CommandContext,
  session: ProcessSession,
  streams: Streams,
  flags: { tty: boolean; 'sig-proxy': boolean; 'detach-keys': string },
): Promise<number> {
  const end = await streamSession(context, session, {
    ...streams,
    tty: flags.tty,
    sigProxy: flags['sig-proxy'],
    detachKeys: flags['detach-keys'],
  });
  if (end.how === 'detached') return 0;
  if (end.how === 'left') return end.exitStatus;
  if (end.result.oomKilled === true) {
    context.warn('a3s-box: the box ran out of memory; --memory sets how much it has');
  }
  return exitStatusOf(end.result);
}
