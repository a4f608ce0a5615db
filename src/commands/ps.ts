/** `ps`: which boxes there are. */
import { listBoxes } from '../engine/list.ts';
import { renderListing } from '../output/listing.ts';
import { defineCommand } from './command.ts';
import { formatFlag } from './format-flag.ts';
import { boxListing } from './rows/box-listing.ts';

export const ps = defineCommand({
  summary: 'List boxes',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show all boxes (default shows just running)' },
    filter: { kind: 'filter', short: 'f', help: 'Filter output based on conditions provided' },
    format: formatFlag,
    last: {
      kind: 'int',
      short: 'n',
      help: 'Show n last created boxes (includes all states)',
      default: '-1',
    },
    latest: { kind: 'bool', short: 'l', help: 'Show the latest created box (includes all states)' },
    'no-trunc': { kind: 'bool', help: "Don't truncate output" },
    quiet: { kind: 'bool', short: 'q', help: 'Only display box IDs' },
    size: { kind: 'bool', short: 's', help: '', refused: true },
  },
  async run(context, { flags, given }) {
    if (flags.quiet && flags.format !== undefined) {
      context.warn('WARNING: Ignoring custom format, because both --format and --quiet are set.');
    }
    const last = flags.latest && !given.has('last') ? 1 : flags.last;
    const boxes = await listBoxes(await context.engine(), {
      all: flags.all,
      filters: flags.filter,
      last: last > 0 ? last : undefined,
    });
    const listing = boxListing({ truncate: !flags['no-trunc'], now: new Date() });
    await context.print(await renderListing(listing, boxes, { format: flags.format, quiet: flags.quiet }));
  },
});
