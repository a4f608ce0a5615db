/** `diff`: what a box has changed of its image. */
import { boxChanges } from '../engine/diff.ts';
import { defineCommand } from './command.ts';

export const diff = defineCommand({
  summary: "Inspect changes to files or directories on a box's filesystem",
  usage: 'BOX',
  args: { min: 1, max: 1 },
  flags: {},
  examples: [['web', 'What it has changed of its image']],
  async run(context, { args: [name = ''] }) {
    const changes = await boxChanges(await context.engine(), name);
    await context.print(changes.map(({ kind, path }) => `${kind} ${path}\n`).join(''));
  },
});
