/** Questions to the person at the terminal. */
import { Writable } from 'node:stream';

import { A3sError } from '../errors.ts';
import type { CommandContext } from './command.ts';

/** Status of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Asks on stdout and reads one line from the terminal.
 * @param options hidden: what is typed does not appear
 * @throws A3sError `usage`, status 130, when the person gives up with Ctrl-C or Ctrl-D
 */
export async function ask(
  context: CommandContext,
  question: string,
  { hidden = false } = {},
): Promise<string> {
  const { createInterface } = await import('node:readline');
  const { stdin, stdout } = context;
  await context.print(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // As a terminal, readline takes the keys itself: echo is what it writes to its output.
  const lines = createInterface({
    input: stdin,
    output: hidden ? nowhere : stdout,
    terminal: true,
    prompt: '',
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => lines.close());
      lines.once('close', () =>
        reject(new A3sError('usage', 'nothing was entered', { exitStatus: INTERRUPTED })),
      );
    });
  } finally {
    lines.close();
    if (hidden) await context.print('\n');
  }
}
