/** FROM. */
import { goQuote } from '../../../go-quote.ts';
import { DockerfileError } from '../error.ts';
import type { SyntaxNode } from '../syntax/tree.ts';
import { descriptionOf } from './description.ts';
import { parseFlags } from './flag-values.ts';
import type { From } from './types.ts';
import { wordsOf, written } from './words-of.ts';

const NAME = /^[a-z][a-z0-9-_.]*$/;

/** @throws DockerfileError */
export function parseFrom(node: SyntaxNode): From {
  const words = wordsOf(node);
  const [base = '', as = '', stage = ''] = words;
  const named = words.length === 3 && as.toLowerCase() === 'as';
  if (!named && words.length !== 1) {
    throw new DockerfileError('FROM requires either one or three arguments');
  }
  const name = stage.toLowerCase();
  if (named && !NAME.test(name)) {
    throw new DockerfileError(
      `invalid name for build stage: ${goQuote(stage)}, name can't start with a number or contain symbols`,
    );
  }
  const { platform } = parseFlags(node.flags, { platform: 'string' });
  const description = descriptionOf(name, node.comments);
  return { kind: 'from', ...written(node), base, name, platform, description };
}
