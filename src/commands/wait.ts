/** `wait`: exit statuses, once there are any. */
import { waitBox } from '../engine/wait.ts';
import { defineCommand } from './command.ts';
import { forEachBox } from './several.ts';

export const wait = defineCommand({
  summary: 'Block until one or more boxes stop, then print their exit codes',
  usage: 'BOX [BOX...]',
  args: { min: 1 },
  flags: {},
  examples: [['build', 'Prints its exit status once it has ended']],
  async run(context, { args }) {
    const engine = await context.engine();
    return forEachBox(context, args, (name) => waitBox(engine, name), {
      answer: (_name, exitCode) => String(exitCode),
    });
  },
});
