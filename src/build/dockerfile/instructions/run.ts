/** RUN. */
import { goQuote } from '../../../go-quote.ts';
import { DockerfileError } from '../error.ts';
import type { SyntaxNode } from '../syntax/tree.ts';
import { parseFlags } from './flag-values.ts';
import { mountFields } from './mount.ts';
import type { Run } from './types.ts';
import { commandIn, written } from './words-of.ts';

const FLAGS = { mount: 'list', network: 'string', security: 'string' } as const;
const NETWORKS = ['default', 'none', 'host'] as const;
const SECURITIES = ['sandbox', 'insecure'] as const;

/** @throws DockerfileError */
export function parseRun(node: SyntaxNode): Run {
  const flags = parseFlags(node.flags, FLAGS);
  return {
    kind: 'run',
    ...written(node),
    ...commandIn(node.arguments),
    documents: node.heredocs.map(({ name, content, chomp }) => ({ name, content, chomp })),
    mountFields: flags.mount.map(mountFields),
    mounts: [],
    network: given(node, 'network')
      ? oneOf(NETWORKS, flags.network, `invalid network mode ${goQuote(flags.network)}`)
      : 'default',
    security: given(node, 'security')
      ? oneOf(SECURITIES, flags.security, `security ${goQuote(flags.security)} is not valid`)
      : 'sandbox',
  };
}

function given(node: SyntaxNode, name: string): boolean {
  return node.flags.some((flag) => flag.startsWith(`--${name}=`));
}

function oneOf<T extends string>(known: readonly T[], value: string, message: string): T {
  const found = known.find((each) => each === value);
  if (found === undefined) throw new DockerfileError(message);
  return found;
}
