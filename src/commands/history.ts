/** `history`: the steps that an image was made in. */
import { imageHistory } from '../engine/history.ts';
import { requireImage } from '../engine/images.ts';
import { renderListing } from '../output/listing.ts';
import { defineCommand } from './command.ts';
import { never } from './flags/spec.ts';
import { formatFlag } from './format-flag.ts';
import { historyListing } from './rows/history-listing.ts';

export const history = defineCommand({
  summary: 'Show the history of an image',
  usage: '[OPTIONS] IMAGE',
  args: { min: 1, max: 1 },
  flags: {
    format: formatFlag,
    human: {
      kind: 'bool',
      short: 'H',
      help: 'Print sizes and dates in human readable format',
      default: 'true',
    },
    'no-trunc': { kind: 'bool', help: "Don't truncate output" },
    platform: never('string', 'a name stands for an image of one platform'),
    quiet: { kind: 'bool', short: 'q', help: 'Only show image IDs' },
  },
  examples: [
    ['alpine', 'The steps that made the image'],
    ["--no-trunc --format '{{.CreatedBy}}' alpine", 'Their commands, whole'],
  ],
  async run(context, { flags, args: [name = ''] }) {
    const engine = await context.engine();
    const steps = imageHistory(engine, await requireImage(engine, name));
    const listing = historyListing({ truncate: !flags['no-trunc'], human: flags.human, now: new Date() });
    await context.print(await renderListing(listing, steps, { format: flags.format, quiet: flags.quiet }));
  },
});
