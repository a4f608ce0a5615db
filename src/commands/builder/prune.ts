/** `builder prune`: what builds may make again (docker/buildx, commands/prune.go). */
import { checkCacheFilters, pruneBuilds } from '../../engine/build-cache.ts';
import { humanSize } from '../../output/human-size.ts';
import { defineCommand } from '../command.ts';
import { ask } from '../confirm.ts';
import { never } from '../flags/spec.ts';
import { prunedTable, verboseRecords } from '../rows/cache-listing.ts';

const DANGLING = 'WARNING! This will remove all dangling build cache. Are you sure you want to continue?';
const ALL = 'WARNING! This will remove all build cache. Are you sure you want to continue?';

export const builderPrune = defineCommand({
  summary: 'Remove build cache',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Include what images have as well' },
    builder: never('string', 'there is one builder', 'default'),
    filter: { kind: 'filter', help: 'Provide filter values' },
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
    'keep-storage': { kind: 'bytes', help: '', hidden: true, aliasOf: 'reserved-space' },
    'max-used-space': { kind: 'bytes', help: 'Maximum amount of disk space allowed to keep for cache' },
    'min-free-space': { kind: 'bytes', help: 'Target amount of free disk space after pruning' },
    'reserved-space': { kind: 'bytes', help: 'Amount of disk space always allowed to keep for cache' },
    verbose: { kind: 'bool', help: 'Provide a more verbose output' },
  },
  async run(context, { flags }) {
    checkCacheFilters(flags.filter);
    if (!flags.force && !(await ask(context, flags.all ? ALL : DANGLING))) return;
    const removed = await pruneBuilds(await context.engine(), {
      all: flags.all,
      filters: flags.filter,
      reservedBytes: flags['reserved-space'] ?? 0,
      maxUsedBytes: flags['max-used-space'] ?? 0,
      minFreeBytes: flags['min-free-space'] ?? 0,
    });
    const now = new Date();
    const list = flags.verbose ? verboseRecords(removed, now) : prunedTable(removed, now);
    const total = removed.reduce((bytes, { size }) => bytes + size, 0);
    await context.print(`${list}Total:\t${humanSize(total, 4)}\n`);
  },
});
