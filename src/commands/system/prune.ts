/** `system prune`: whatever is not in use. */
import { checkCacheFilters, NO_BOUNDS, pruneBuilds } from '../../engine/build-cache.ts';
import { pruneBoxes } from '../../engine/prune-boxes.ts';
import { pruneImages } from '../../engine/prune-images.ts';
import { parseTimestamp } from '../../engine/timestamps.ts';
import { pruneVolumes } from '../../engine/volumes/prune.ts';
import { A3sError } from '../../errors.ts';
import { humanSize } from '../../output/human-size.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { boxPruneFilter } from '../rows/box-prune-filter.ts';
import { imagePruneFilter } from '../rows/image-filter.ts';
import { prunedLine } from '../rows/removed-images.ts';
import { pruneFilter } from '../rows/volume-filter.ts';

export const systemPrune = defineCommand({
  summary: 'Remove unused data',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused images not just dangling ones' },
    filter: { kind: 'filter', help: 'Provide filter values (e.g. "label=<key>=<value>")' },
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
    volumes: { kind: 'bool', help: 'Prune anonymous volumes' },
  },
  examples: [
    ['', 'Asks, and removes what is not used'],
    ['-af --volumes', 'Images with a name and anonymous volumes as well, without a question'],
  ],
  async run(context, { flags }) {
    if (flags.volumes && flags.filter.some((filter) => filter.startsWith('until='))) {
      throw new A3sError('usage', 'ERROR: The "until" filter is not supported with "--volumes"');
    }
    const boxes = boxPruneFilter(flags.filter);
    const images = imagePruneFilter(flags.filter);
    // Volumes know no `until`.
    const volumes = pruneFilter(flags.volumes ? flags.filter : []);
    const ofCache = cacheFilters(flags.filter);
    checkCacheFilters(ofCache);
    if (!flags.force && !(await confirm(context, warning(flags)))) return;
    const engine = await context.engine();
    const lists: string[] = [];
    const tell = (title: string, lines: readonly string[]): void => {
      if (lines.length > 0) lists.push(`${title}:\n${lines.join('\n')}\n\n`);
    };
    const prunedBoxes = await pruneBoxes(engine, boxes);
    tell('Deleted Containers', prunedBoxes.ids);
    let { bytes } = prunedBoxes;
    if (flags.volumes) {
      const { names, reclaimed } = await pruneVolumes(engine, { all: false, matches: volumes.matches });
      tell('Deleted Volumes', names);
      bytes += reclaimed;
    }
    const { removed, bytes: ofImages } = await pruneImages(engine, {
      all: flags.all || images.all,
      matches: images.matches,
    });
    tell(
      'Deleted Images',
      removed.map((item) => prunedLine(item).trimEnd()),
    );
    const cache = await pruneBuilds(engine, {
      ...NO_BOUNDS,
      all: flags.all,
      filters: ofCache,
    });
    tell(
      'Deleted build cache objects',
      cache.map(({ id }) => id),
    );
    const bytesOfCache = cache.reduce((sum, { size, shared }) => sum + (shared ? 0 : size), 0);
    await context.print(
      `${lists.join('')}Total reclaimed space: ${humanSize(bytes + ofImages + bytesOfCache)}\n`,
    );
  },
});

/** `until` of the other things is a time or an age; that of the cache is an age. Nothing in it has labels. */
function cacheFilters(given: readonly string[]): string[] {
  return given.map((filter) => {
    const [, time] = /^\s*until\s*=(.*)$/is.exec(filter) ?? [];
    if (time === undefined) return filter;
    const age = Date.now() - Number(parseTimestamp(time.trim()) / 1_000_000n);
    return `until=${Math.max(age, 0)}ms`;
  });
}

function warning({
  all,
  volumes,
  filter,
}: {
  all: boolean;
  volumes: boolean;
  filter: readonly string[];
}): string {
  const items = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ];
  const filters =
    filter.length === 0
      ? ''
      : `\n  Items to be pruned will be filtered with:\n${filter.map((each) => `  - ${each}\n`).join('')}`;
  return `WARNING! This will remove:\n${items.map((item) => `  - ${item}\n`).join('')}${filters}`;
}
