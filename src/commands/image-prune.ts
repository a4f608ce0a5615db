/** `image prune`: images that no box was made from. */
import { pruneImages } from '../engine/prune-images.ts';
import { humanSize } from '../output/human-size.ts';
import { defineCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { imagePruneFilter } from './rows/image-filter.ts';
import { prunedLine } from './rows/removed-images.ts';

const DANGLING = 'WARNING! This will remove all dangling images.';
const ALL = 'WARNING! This will remove all images without at least one container associated to them.';

export const imagePrune = defineCommand({
  summary: 'Remove unused images',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused images, not just dangling ones' },
    filter: { kind: 'filter', help: 'Provide filter values (e.g. "until=<timestamp>")' },
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
  },
  examples: [
    ['', 'Asks, and removes images without a name'],
    ['-af --filter until=168h', 'All that no box uses and that are older than a week'],
  ],
  async run(context, { flags }) {
    const { all: allByFilter, matches } = imagePruneFilter(flags.filter);
    const all = flags.all || allByFilter;
    if (!flags.force && !(await confirm(context, all ? ALL : DANGLING))) return;
    const { removed, bytes } = await pruneImages(await context.engine(), { all, matches });
    const list = removed.length === 0 ? '' : `Deleted Images:\n${removed.map(prunedLine).join('')}\n`;
    await context.print(`${list}Total reclaimed space: ${humanSize(bytes)}\n`);
  },
});
