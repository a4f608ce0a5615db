/** A directory in a checkout, which must not lead out of it. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';

/**
 * @param path relative, cleaned; empty for the whole tree
 * @throws A3sError in BuildKit's words for what is missing or, a link among them, no directory
 */
export function subdirectoryOf(tree: string, path: string): string {
  let within = '';
  for (const name of path === '' ? [] : path.split('/')) {
    within = join(within, name);
    const there = lstatSync(join(tree, within), { throwIfNoEntry: false });
    if (there === undefined) {
      throw invalid(path, `failed to lstat ${goQuote(within)}: lstatat ${within}: no such file or directory`);
    }
    if (!there.isDirectory()) {
      throw invalid(path, `git subpath ${goQuote(path)} contains non-directory ${goQuote(within)}`);
    }
  }
  return join(tree, within);
}

function invalid(path: string, reason: string): A3sError {
  return new A3sError('invalid_config', `invalid subdir ${path}: ${reason}`);
}
