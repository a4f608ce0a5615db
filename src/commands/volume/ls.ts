/** `volume ls`: which volumes there are. */
import { listVolumes } from '../../engine/volumes/volumes.ts';
import { renderListing } from '../../output/listing.ts';
import { defineCommand } from '../command.ts';
import { never } from '../flags/spec.ts';
import { formatFlag, listingFormat } from '../format-flag.ts';
import { volumeFilter } from '../rows/volume-filter.ts';
import { volumeListing } from '../rows/volume-listing.ts';

export const volumeLs = defineCommand({
  summary: 'List volumes',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    cluster: never('bool', 'it is for the volumes of a swarm'),
    filter: { kind: 'filter', short: 'f', help: 'Provide filter values (e.g. "dangling=true")' },
    format: formatFlag,
    quiet: { kind: 'bool', short: 'q', help: 'Only display volume names' },
  },
  examples: [
    ['', 'All volumes'],
    ['-q --filter dangling=true', 'Names of those that no box uses'],
  ],
  async run(context, { flags }) {
    const { filter, quiet } = flags;
    const format = listingFormat(context, flags, 'volumes');
    const keep = volumeFilter(filter);
    const volumes = (await listVolumes(await context.engine())).filter(keep);
    await context.print(await renderListing(volumeListing, volumes, { format, quiet }));
  },
});
