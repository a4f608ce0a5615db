/** `volume prune`: volumes that no box mounts. */
import { pruneVolumes } from '../../engine/volumes/prune.ts';
import { A3sError } from '../../errors.ts';
import { humanSize } from '../../output/human-size.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { pruneFilter } from '../rows/volume-filter.ts';

export const volumePrune = defineCommand({
  summary: 'Remove unused local volumes',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused volumes, not just anonymous ones' },
    filter: { kind: 'filter', help: 'Provide filter values (e.g. "label=<label>")' },
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
  },
  examples: [
    ['', 'Asks, and removes anonymous volumes that no box uses'],
    ['-af --filter label=tier', 'Named ones as well, if they have that label'],
  ],
  async run(context, { flags }) {
    const { all: allByFilter, matches } = pruneFilter(flags.filter);
    if (flags.all && allByFilter !== undefined) {
      throw new A3sError('usage', 'conflicting options: cannot specify both --all and --filter all=1');
    }
    const all = flags.all || allByFilter === true;
    const which = all ? 'all local volumes' : 'anonymous local volumes';
    const warning = `WARNING! This will remove ${which} not used by at least one container.`;
    if (!flags.force && !(await confirm(context, warning))) return;
    const { names, reclaimed } = await pruneVolumes(await context.engine(), { all, matches });
    const list = names.length === 0 ? '' : `Deleted Volumes:\n${names.join('\n')}\n\n`;
    await context.print(`${list}Total reclaimed space: ${humanSize(reclaimed)}\n`);
  },
});
