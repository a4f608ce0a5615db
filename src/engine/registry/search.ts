/** `search`, as the verb means it. */
import { A3sError } from '../../errors.ts';
import { parseReference } from '../../images/reference.ts';
import { userCredentials } from '../../images/registry/credentials.ts';
import { searchRegistry, type SearchResult } from '../../images/registry/search.ts';

export type { SearchResult };

const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 25;

export interface SearchWish {
  /** How many at most; 0 or nothing means 25. */
  limit: number | undefined;
  /** Fewest stars. */
  stars: number;
  /** Undefined does not care. */
  official: boolean | undefined;
}

/**
 * Searches Docker Hub, or the registry that the term begins with (`host:5000/words`).
 * @throws A3sError `invalid_config` in Docker's words for the limit; as searchRegistry
 */
export async function search(
  term: string,
  wish: SearchWish,
  env: NodeJS.ProcessEnv,
): Promise<SearchResult[]> {
  const limit = wish.limit === undefined || wish.limit === 0 ? DEFAULT_LIMIT : wish.limit;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new A3sError('invalid_config', `limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
  }
  const { domain, words } = splitTerm(term);
  const found = await searchRegistry(domain, words, limit, { credentials: userCredentials(env), env });
  return found.filter(
    ({ stars, official }) =>
      stars >= wish.stars && (wish.official === undefined || official === wish.official),
  );
}

function splitTerm(term: string): { domain: string; words: string } {
  if (term.includes('://')) {
    throw new A3sError('invalid_config', 'invalid repository name: repository name should not have a scheme');
  }
  const slash = term.indexOf('/');
  if (slash === -1) return { domain: 'docker.io', words: term };
  // What comes before the first slash is a registry by the rule for references.
  const { domain } = parseReference(`${term.slice(0, slash)}/x`);
  if (domain !== 'docker.io') return { domain, words: term.slice(slash + 1) };
  return { domain, words: term.replace(/^(?:(?:index\.)?docker\.io\/)?(?:library\/)?/, '') };
}
