/** `pool ls`: the warm boxes. */
import { listPools } from '../../engine/pool/pools.ts';
import { renderListing } from '../../output/listing.ts';
import { defineCommand } from '../command.ts';
import { formatFlag } from '../format-flag.ts';
import { membersOf, warmBoxListing } from '../rows/pool-listing.ts';

export const poolLs = defineCommand({
  summary: 'List warm boxes',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    format: formatFlag,
    quiet: { kind: 'bool', short: 'q', help: 'Only display box IDs' },
  },
  examples: [
    ['', 'The boxes that are warm'],
    ['-q', 'Their IDs alone'],
  ],
  async run(context, { flags: { format, quiet } }) {
    const boxes = membersOf(await listPools(await context.engine()));
    await context.print(await renderListing(warmBoxListing(new Date()), boxes, { format, quiet }));
  },
});
