/** `stats`: what boxes use, once or refreshed each second. */
import { setTimeout as sleep } from 'node:timers/promises';

import { allBoxes, findBox, isUp } from '../engine/engine.ts';
import { UsageMeter } from '../engine/stats.ts';
import type { Engine } from '../engine/types.ts';
import { renderListing } from '../output/listing.ts';
import { defineCommand } from './command.ts';
import { formatFlag, listingFormat } from './format-flag.ts';
import type { BoxRecord } from './rows/records.ts';
import { statsListing } from './rows/stats-listing.ts';

const INTERVAL_MS = 1000;
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export const stats = defineCommand({
  summary: 'Display a live stream of box(es) resource usage statistics',
  usage: '[OPTIONS] [BOX...]',
  args: { min: 0 },
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show all boxes (default shows just running)' },
    format: formatFlag,
    'no-stream': { kind: 'bool', help: 'Disable streaming stats and only pull the first result' },
    'no-trunc': { kind: 'bool', help: 'Do not truncate output' },
  },
  examples: [
    ['', 'What boxes use, anew each second'],
    ["--no-stream --format '{{.Name}} {{.MemUsage}}' web db", 'Once, for two of them'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    const meter = new UsageMeter();
    const listing = statsListing({ truncate: !flags['no-trunc'] });
    const format = listingFormat(context, { ...flags, quiet: false }, 'stats');
    for (;;) {
      const boxes = await chosen(engine, args, flags.all);
      const next = sleep(INTERVAL_MS);
      const uses = await meter.look(boxes);
      const rows = boxes.map((box, index) => ({ box, usage: uses[index] ?? null }));
      const text = await renderListing(listing, rows, { format, quiet: false });
      if (flags['no-stream']) {
        await context.print(text);
        return;
      }
      const lines = text.split('\n').slice(0, -1);
      await context.print(HOME + lines.map((line) => `${line}${CLEAR_LINE}\n`).join('') + CLEAR_BELOW);
      // Named boxes that have all ended use nothing any more.
      if (args.length > 0 && rows.every(({ box }) => !isUp(box))) return;
      await next;
    }
  },
});

/** Those that are named, in their order; else those that run, or all. */
async function chosen(engine: Engine, names: readonly string[], all: boolean): Promise<BoxRecord[]> {
  if (names.length > 0) return Promise.all(names.map((name) => findBox(engine, name)));
  const boxes = await allBoxes(engine);
  return all ? boxes : boxes.filter(isUp);
}
