/** `builder du`: what the build cache holds (docker/buildx, commands/diskusage.go). */
import { listBuildCache } from '../../engine/build-cache.ts';
import { A3sError } from '../../errors.ts';
import { renderListing } from '../../output/listing.ts';
import { defineCommand } from '../command.ts';
import { never } from '../flags/spec.ts';
import { cacheListing, cacheSummary, verboseRecords } from '../rows/cache-listing.ts';

export const builderDu = defineCommand({
  summary: 'Disk usage',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    builder: never('string', 'there is one builder', '', 'default'),
    filter: { kind: 'filter', help: 'Provide filter values' },
    format: { kind: 'string', help: 'Format the output' },
    verbose: { kind: 'bool', help: 'Shorthand for "--format=pretty"' },
  },
  examples: [
    ['', 'The build cache and its size'],
    ['--verbose --filter type=exec.cachemount', 'Cache mounts alone, with every field'],
  ],
  async run(context, { flags }) {
    const { format = '', filter, verbose } = flags;
    if (format !== '' && verbose) {
      throw new A3sError('usage', '--format and --verbose cannot be used together');
    }
    const records = await listBuildCache(await context.engine(), filter);
    const now = new Date();
    const isPretty = verbose || format === 'pretty';
    const isTable = format === '' || format.startsWith('table');
    const list = isPretty
      ? verboseRecords(records, now)
      : await renderListing(cacheListing(now, isTable), records, { format, quiet: false });
    const hasSummary = (isPretty || format === '' || format === 'table') && filter.length === 0;
    await context.print(`${list}${hasSummary ? cacheSummary(records) : ''}`);
  },
});
