/** What `search` shows, by Docker's field names, and its `--filter`. */
import type { SearchResult } from '../../engine/registry/search.ts';
import { A3sError } from '../../errors.ts';
import type { Listing } from '../../output/listing.ts';
import { ellipsis } from '../../output/truncate.ts';
import { parseFilters } from './filters.ts';

const DESCRIPTION_WIDTH = 45;

export function searchListing({ truncate }: { truncate: boolean }): Listing<SearchResult> {
  return {
    fields: {
      Name: { heading: 'NAME', value: ({ name }) => oneLine(name) },
      Description: {
        heading: 'DESCRIPTION',
        value: ({ description }) => {
          const text = oneLine(description);
          return truncate ? ellipsis(text, DESCRIPTION_WIDTH) : text;
        },
      },
      StarCount: { heading: 'STARS', value: ({ stars }) => String(stars) },
      IsOfficial: { heading: 'OFFICIAL', value: ({ official }) => (official ? '[OK]' : '') },
      // Docker Hub builds no images any more.
      IsAutomated: { heading: 'AUTOMATED', value: () => '' },
    },
    table: ['Name', 'Description', 'StarCount', 'IsOfficial'],
    id: 'Name',
    typeName: 'searchContext',
  };
}

/** Strangers wrote it: no control character reaches the terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/**
 * `stars=N` and `is-official=BOOL`; of several stars the most, as in Docker's engine.
 * @throws A3sError `invalid_config` in Docker's words
 */
export function searchFilter(given: readonly string[]): { stars: number; official: boolean | undefined } {
  const filters = parseFilters(given, ['stars', 'is-official', 'is-automated']);
  const stars = (filters.get('stars') ?? []).map((text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw invalid('stars', text);
  });
  const official = filters.get('is-official');
  const automated = filters.get('is-automated') ?? [];
  if (automated.some((text) => truth('is-automated', text))) {
    throw new A3sError(
      'unsupported',
      '--filter is-automated=true finds nothing: Docker Hub builds no images any more',
    );
  }
  return {
    stars: Math.max(0, ...stars),
    official: official === undefined ? undefined : official.some((text) => truth('is-official', text)),
  };
}

function truth(key: string, text: string): boolean {
  if (['true', '1'].includes(text)) return true;
  if (['false', '0'].includes(text)) return false;
  throw invalid(key, text);
}

function invalid(key: string, text: string): A3sError {
  return new A3sError('invalid_config', `invalid filter '${key}=${text}'`);
}
