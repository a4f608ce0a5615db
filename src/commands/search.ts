/** `search`: looks for images in a registry. */
import { search as find } from '../engine/registry/search.ts';
import { renderListing } from '../output/listing.ts';
import { defineCommand } from './command.ts';
import { formatFlag } from './format-flag.ts';
import { searchFilter, searchListing } from './rows/search-listing.ts';

export const search = defineCommand({
  summary: 'Search Docker Hub for images',
  usage: '[OPTIONS] TERM',
  args: { min: 1, max: 1 },
  flags: {
    filter: { kind: 'filter', short: 'f', help: 'Filter output based on conditions provided' },
    format: formatFlag,
    limit: { kind: 'int', help: 'Max number of search results' },
    'no-trunc': { kind: 'bool', help: "Don't truncate output" },
  },
  examples: [
    ['--limit 5 nginx', 'The first five that Docker Hub finds'],
    ['--filter is-official=true --no-trunc redis', 'Official images alone, with whole descriptions'],
  ],
  async run(context, { flags, args: [term = ''] }) {
    const found = await find(term, { limit: flags.limit, ...searchFilter(flags.filter) }, context.env);
    const listing = searchListing({ truncate: !flags['no-trunc'] });
    await context.print(await renderListing(listing, found, { format: flags.format, quiet: false }));
  },
});
