/** What `run` and `create` say before they fail on an image that is not there. */
import { A3sError } from '../errors.ts';
import type { CommandContext } from './command.ts';

/** Docker's first line about it, which it prints when it would pull; returns the error to throw. */
export function tellMissingImage(
  context: CommandContext,
  error: unknown,
  flags: { pull: string; quiet: boolean },
): unknown {
  const missing = error instanceof A3sError && error.code === 'no_such_image';
  if (missing && flags.pull === 'missing' && !flags.quiet) {
    const image = /^No such image: (.*)$/.exec(error.message)?.[1];
    if (image !== undefined) context.warn(`Unable to find image '${image}' locally`);
  }
  return error;
}
