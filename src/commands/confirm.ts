/** Docker's question before something is removed for good. */
import type { CommandContext } from './command.ts';

/** Longer answers are none. */
const MAX_ANSWER = 1024;

/** Asks on stdout; true for `y` or `Y` alone on the first line of stdin. */
export async function confirm(context: CommandContext, warning: string): Promise<boolean> {
  await context.print(`${warning}\nAre you sure you want to continue? [y/N] `);
  let answer = '';
  for await (const chunk of context.stdin) {
    answer += String(chunk);
    if (answer.includes('\n') || answer.length > MAX_ANSWER) break;
  }
  const [line = ''] = answer.split('\n', 1);
  return line.trim().toLowerCase() === 'y';
}
