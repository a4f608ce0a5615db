/** The search of Docker Hub and of registries that still offer it: `GET /v1/search` (Docker's registry API v1). */
import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import { parseObject, readBody } from './body.ts';
import { connect, type ConnectOptions } from './connect.ts';
import { retrying } from './retry.ts';
import { named } from './session.ts';
import { TIMING } from './transport.ts';

const HUB_INDEX = 'index.docker.io';

export interface SearchResult {
  name: string;
  description: string;
  stars: number;
  official: boolean;
}

export type SearchOptions = Omit<ConnectOptions, 'timing' | 'offline' | 'probe'>;

/**
 * What the registry of `domain` finds for `words`, at most `limit`, in the registry's order.
 * @throws A3sError `not_in_registry` when it offers no search
 */
export async function searchRegistry(
  domain: string,
  words: string,
  limit: number,
  options: SearchOptions,
): Promise<SearchResult[]> {
  const host = domain === 'docker.io' ? HUB_INDEX : domain;
  const { session, close } = await connect(host, { ...options, timing: TIMING, probe: '/v1/_ping' });
  const subject = { domain: host, kind: 'registry', push: false } as const;
  const url = new URL('/v1/search', session.base);
  url.searchParams.set('q', words);
  url.searchParams.set('n', String(limit));
  try {
    const retry = { retryMs: TIMING.retryMs, signal: options.signal, onRetry: options.onRetry };
    const text = await retrying(retry, async () => {
      const answer = await session.send({ method: 'GET', url, subject, expect: [200, 404] });
      if (answer.status === 404) {
        answer.body.destroy();
        throw new A3sError('not_in_registry', `registry ${domain} offers no search`);
      }
      return readBody(answer).catch((error: unknown) => {
        throw named(error, subject);
      });
    });
    const { results } = parseObject(text.toString());
    if (!Array.isArray(results)) {
      throw new A3sError('registry_protocol', `registry ${domain} answered the search with no list`);
    }
    return results.slice(0, limit).map(resultOf);
  } finally {
    await close();
  }
}

function resultOf(value: unknown): SearchResult {
  const { name, description, star_count: stars, is_official: official } = objectOr(value);
  return {
    name: typeof name === 'string' ? name : '',
    description: typeof description === 'string' ? description : '',
    stars: typeof stars === 'number' && Number.isSafeInteger(stars) ? stars : 0,
    official: official === true,
  };
}
