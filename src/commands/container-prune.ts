/** `container prune`: boxes that do not run. */
import { pruneBoxes } from '../engine/prune-boxes.ts';
import { humanSize } from '../output/human-size.ts';
import { defineCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { boxPruneFilter } from './rows/box-prune-filter.ts';

export const containerPrune = defineCommand({
  summary: 'Remove all stopped boxes',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    filter: { kind: 'filter', help: 'Provide filter values (e.g. "until=<timestamp>")' },
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
  },
  examples: [
    ['', 'Asks, and removes all boxes that do not run'],
    ['-f --filter until=24h', 'Without a question, those older than a day'],
  ],
  async run(context, { flags }) {
    const matches = boxPruneFilter(flags.filter);
    const warning = 'WARNING! This will remove all stopped containers.';
    if (!flags.force && !(await confirm(context, warning))) return;
    const { ids, bytes } = await pruneBoxes(await context.engine(), matches);
    const list = ids.length === 0 ? '' : `Deleted Containers:\n${ids.join('\n')}\n\n`;
    await context.print(`${list}Total reclaimed space: ${humanSize(bytes)}\n`);
  },
});
