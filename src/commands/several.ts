/** Commands that take several boxes. */
import { A3sError } from '../errors.ts';
import type { CommandContext } from './command.ts';

export interface SeveralOptions {
  /** A failure that does not count, though it is reported. */
  forgives?: (error: A3sError) => boolean;
}

/**
 * Does the work on each box, prints each name as it was given, reports each failure on a line of its own.
 * All at once, so that waiting for one box does not hold up the others; the answers keep the order of the names.
 * @returns the exit status: 1 when one failed
 */
export async function forEachBox(
  context: CommandContext,
  names: readonly string[],
  work: (name: string) => Promise<unknown>,
  { forgives }: SeveralOptions = {},
): Promise<number> {
  let status = 0;
  const pending = names.map((name) =>
    work(name).then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
  );
  for (const [index, outcome] of pending.entries()) {
    const failure = await outcome;
    if (failure === undefined) await context.print(`${names[index]}\n`);
    else {
      if (!(failure.error instanceof A3sError)) throw failure.error;
      context.report(failure.error);
      if (forgives?.(failure.error) !== true) status = 1;
    }
  }
  return status;
}
