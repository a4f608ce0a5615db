/** `pool status`: what is kept warm. */
import { listPools } from '../../engine/pool/pools.ts';
import { renderListing } from '../../output/listing.ts';
import { defineCommand } from '../command.ts';
import { formatFlag } from '../format-flag.ts';
import { poolListing } from '../rows/pool-listing.ts';

export const poolStatus = defineCommand({
  summary: 'Show what is kept warm',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: { format: formatFlag },
  examples: [
    ['', 'How many boxes are warm'],
    ['--format json', 'As JSON'],
  ],
  async run(context, { flags: { format } }) {
    const pools = await listPools(await context.engine());
    await context.print(await renderListing(poolListing, pools, { format, quiet: false }));
  },
});
