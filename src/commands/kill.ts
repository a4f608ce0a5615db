/** `kill`: a signal to the workload. */
import { killBox } from '../engine/kill.ts';
import { defineCommand } from './command.ts';
import { forEachBox } from './several.ts';

export const kill = defineCommand({
  summary: 'Kill one or more running boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: {
    signal: { kind: 'string', short: 's', help: 'Signal to send to the box', default: 'KILL' },
  },
  examples: [
    ['web', 'KILL, at once'],
    ['-s HUP web', 'Another signal'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    return forEachBox(context, args, (name) => killBox(engine, name, flags.signal));
  },
});
