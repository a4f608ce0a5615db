/** `builder prune` as Docker's client has it, and `buildx prune`: what builds may make again. */
import { checkCacheFilters, pruneBuilds } from '../../engine/build-cache.ts';
import type { CacheRecord } from '../../engine/build-cache.ts';
import { humanSize } from '../../output/human-size.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { ask } from '../confirm.ts';
import { type FlagValues, never } from '../flags/spec.ts';
import { prunedTable, verboseRecords } from '../rows/cache-listing.ts';

const DANGLING = 'WARNING! This will remove all dangling build cache. Are you sure you want to continue?';
const ALL = 'WARNING! This will remove all build cache. Are you sure you want to continue?';

const flags = {
  all: { kind: 'bool', short: 'a', help: 'Remove all unused build cache, not just dangling ones' },
  builder: never('string', 'there is one builder', '', 'default'),
  filter: { kind: 'filter', help: 'Provide filter values (e.g. "until=24h")' },
  force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
  'keep-storage': { kind: 'bytes', help: '', aliasOf: 'reserved-space' },
  'max-used-space': { kind: 'bytes', help: 'Maximum amount of disk space allowed to keep for cache' },
  'min-free-space': { kind: 'bytes', help: 'Target amount of free disk space after pruning' },
  'reserved-space': { kind: 'bytes', help: 'Amount of disk space always allowed to keep for cache' },
} as const;

export const builderPrune = defineCommand({
  summary: 'Remove build cache',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags,
  examples: [
    ['', 'Asks, and removes what no image has'],
    ['-af --max-used-space 2g', 'All but the 2 GB that were used last'],
  ],
  async run(context, invocation) {
    const removed = await prune(context, invocation.flags);
    if (removed === null) return;
    const ids = removed.map(({ id }) => `${id}\n`).join('');
    const list = ids === '' ? '' : `Deleted build cache objects:\n${ids}\n`;
    await context.print(`${list}Total reclaimed space: ${humanSize(sizeOf(removed), 4)}\n`);
  },
});

export const buildxPrune = defineCommand({
  summary: 'Remove build cache',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: { ...flags, verbose: { kind: 'bool', help: 'Provide a more verbose output' } },
  examples: [
    ['-f --filter until=24h', 'What was not used for a day'],
    ['-af --verbose', 'Everything, with every field of what is removed'],
  ],
  async run(context, invocation) {
    const removed = await prune(context, invocation.flags);
    if (removed === null) return;
    const now = new Date();
    const list = invocation.flags.verbose ? verboseRecords(removed, now) : prunedTable(removed, now);
    await context.print(`${list}Total:\t${humanSize(sizeOf(removed), 4)}\n`);
  },
});

/** Null when the user does not want it. */
async function prune(
  context: CommandContext,
  given: FlagValues<typeof flags>,
): Promise<CacheRecord[] | null> {
  checkCacheFilters(given.filter);
  if (!given.force && !(await ask(context, given.all ? ALL : DANGLING))) return null;
  return pruneBuilds(await context.engine(), {
    all: given.all,
    filters: given.filter,
    reservedBytes: given['reserved-space'] ?? 0,
    maxUsedBytes: given['max-used-space'] ?? 0,
    minFreeBytes: given['min-free-space'] ?? 0,
  });
}

function sizeOf(records: readonly CacheRecord[]): number {
  return records.reduce((bytes, { size }) => bytes + size, 0);
}
