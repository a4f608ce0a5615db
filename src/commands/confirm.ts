/** Docker's question before something is removed for good. */
import type { CommandContext } from './command.ts';

/** Longer answers are none. */
const MAX_ANSWER = 1024;

/** Asks on stdout; true for `y` or `Y` alone on the first line of stdin. */
export async function confirm(context: CommandContext, warning: string): Promise<boolean> {
  return ask(context, `${warning}\nAre you sure you want to continue?`);
}

/** The same with a question of its own. */
export async function ask(context: CommandContext, question: string): Promise<boolean> {
  await context.print(`${question} [y/N] `);
  let answer = '';
  for await (const chunk of context.stdin) {
    answer += String(chunk);
    if (answer.includes('\n') || answer.length > MAX_ANSWER) break;
  }
  const [line = ''] = answer.split('\n', 1);
  return line.trim().toLowerCase() === 'y';
}
