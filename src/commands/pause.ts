/** `pause` and `unpause`: the whole box stands still, and goes on. */
import { pauseBox, unpauseBox } from '../engine/pause.ts';
import { defineCommand } from './command.ts';
import { forEachBox } from './several.ts';

export const pause = defineCommand({
  summary: 'Pause all processes within one or more boxes',
  usage: 'BOX [BOX...]',
  args: { min: 1 },
  flags: {},
  examples: [['web', 'Its processes stand still until unpause']],
  async run(context, { args }) {
    const engine = await context.engine();
    return forEachBox(context, args, (name) => pauseBox(engine, name));
  },
});

export const unpause = defineCommand({
  summary: 'Unpause all processes within one or more boxes',
  usage: 'BOX [BOX...]',
  args: { min: 1 },
  flags: {},
  examples: [['web', 'Its processes go on']],
  async run(context, { args }) {
    const engine = await context.engine();
    return forEachBox(context, args, (name) => unpauseBox(engine, name));
  },
});
