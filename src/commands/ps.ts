/** `ps`: which boxes there are. */
import { listBoxes } from '../engine/list.ts';
import { renderListing } from '../output/listing.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { formatFlag, listingFormat } from './format-flag.ts';
import { boxListing, type BoxSizes } from './rows/box-listing.ts';
import type { BoxRecord } from './rows/records.ts';

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
    size: { kind: 'bool', short: 's', help: 'Display total file sizes' },
  },
  examples: [
    ['', 'Boxes that run'],
    ['-a --filter status=exited --filter label=tier', 'All that have ended and have that label'],
    ['-q --filter name=web', 'IDs alone, for scripts'],
    ['--format "table {{.Names}}\\t{{.Status}}\\t{{.Ports}}"', 'Columns of your own'],
  ],
  async run(context, { flags, given }) {
    if (flags.quiet && flags.format !== undefined) {
      context.warn('WARNING: Ignoring custom format, because both --format and --quiet are set.');
    }
    const format = listingFormat(context, flags, 'ps');
    const last = flags.latest && !given.has('last') ? 1 : flags.last;
    const boxes = await listBoxes(await context.engine(), {
      all: flags.all,
      filters: flags.filter,
      last: last > 0 ? last : undefined,
    });
    const wantsSize = flags.size || /\.Size\b/.test(format ?? '');
    const sizes = wantsSize ? await sizesOf(context, boxes) : undefined;
    const listing = boxListing({
      truncate: !flags['no-trunc'],
      now: new Date(),
      sizes,
      sizeColumn: flags.size,
    });
    await context.print(await renderListing(listing, boxes, { format, quiet: flags.quiet }));
  },
});

/** Loaded for those who ask: it looks at disks and images. */
async function sizesOf(context: CommandContext, boxes: readonly BoxRecord[]): Promise<BoxSizes> {
  const { boxSizes } = await import('./rows/box-sizes.ts');
  return boxSizes(await context.engine(), boxes);
}
