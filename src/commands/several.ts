/** Commands that take several boxes. */
import { A3sError } from '../errors.ts';
import type { CommandContext } from './command.ts';

export interface SeveralOptions {
  /** What is printed for a box that went well; its name as it was given by default. */
  answer?: (name: string, value: unknown) => string;
  /** A failure that does not count, though it is reported. */
  forgives?: (error: A3sError) => boolean;
  /** The last line, when some have failed. */
  summary?: (failed: readonly string[]) => string;
}

/**
 * Does the work on each box, prints an answer for each, reports each failure on a line of its own.
 * All at once, so that waiting for one box does not hold up the others; the answers keep the order of the names.
 * @returns the exit status: 1 when one failed
 */
export async function forEachBox(
  context: CommandContext,
  names: readonly string[],
  work: (name: string) => Promise<unknown>,
  { answer = (name) => name, forgives, summary }: SeveralOptions = {},
): Promise<number> {
  const failed: string[] = [];
  const pending = names.map((name) =>
    work(name).then(
      (value) => ({ value, failed: false }) as const,
      (error: unknown) => ({ error, failed: true }) as const,
    ),
  );
  for (const [index, outcome] of pending.entries()) {
    const end = await outcome;
    if (!end.failed) await context.print(`${answer(names[index] ?? '', end.value)}\n`);
    else {
      if (!(end.error instanceof A3sError)) throw end.error;
      context.report(end.error);
      if (forgives?.(end.error) !== true) failed.push(names[index] ?? '');
    }
  }
  if (failed.length > 0 && summary !== undefined) context.warn(summary(failed));
  return failed.length > 0 ? 1 : 0;
}
