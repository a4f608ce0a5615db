/** `rm`: a box and everything of it. */
import { removeBox } from '../engine/remove.ts';
import { defineCommand } from './command.ts';
import { never } from './flags/spec.ts';
import { forEachBox } from './several.ts';

export const rm = defineCommand({
  summary: 'Remove one or more boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: {
    force: {
      kind: 'bool',
      short: 'f',
      help: 'Force the removal of a running box (uses SIGKILL)',
    },
    volumes: {
      kind: 'bool',
      short: 'v',
      help: 'Remove anonymous volumes associated with the box',
    },
    link: { ...never('bool', 'there are no links between boxes'), short: 'l' },
  },
  examples: [
    ['web', 'A box that does not run'],
    ['-fv web db', 'Two boxes that may run, with their anonymous volumes'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    return forEachBox(
      context,
      args,
      (name) => removeBox(engine, name, { force: flags.force, volumes: flags.volumes }),
      {
        forgives: (error) => flags.force && error.code === 'no_such_box',
      },
    );
  },
});
