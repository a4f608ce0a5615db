/** `images`: what is in the store. */
import { listImages, requireImage } from '../engine/images.ts';
import { renderListing } from '../output/listing.ts';
import { defineCommand } from './command.ts';
import { never } from './flags/spec.ts';
import { formatFlag, listingFormat } from './format-flag.ts';
import { imageFilter } from './rows/image-filter.ts';
import { imageListing, rowsOf } from './rows/image-listing.ts';

export const images = defineCommand({
  summary: 'List images',
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  args: { min: 0, max: 1 },
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show all images (there are no intermediate images)' },
    digests: { kind: 'bool', help: 'Show digests' },
    filter: { kind: 'filter', short: 'f', help: 'Filter output based on conditions provided' },
    format: formatFlag,
    'no-trunc': { kind: 'bool', help: "Don't truncate output" },
    quiet: { kind: 'bool', short: 'q', help: 'Only show image IDs' },
    tree: never('bool', 'a name stands for an image of one platform'),
  },
  examples: [
    ['', 'All images'],
    ['--filter dangling=true -q', 'IDs of those without a name'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    const keep = await imageFilter(flags.filter, args[0], (name) => requireImage(engine, name));
    const found = await listImages(engine);
    const rows = found.flatMap((image) => rowsOf(image).filter((row) => keep(row, image)));
    const format = listingFormat(context, flags, 'images');
    const listing = imageListing({
      truncate: !flags['no-trunc'],
      digests: flags.digests,
      now: new Date(),
    });
    await context.print(await renderListing(listing, rows, { format, quiet: flags.quiet }));
  },
});
