/** `restart`: stop and start. */
import { restartBox } from '../engine/restart.ts';
import { defineCommand } from './command.ts';
import { forEachBox } from './several.ts';

export const restart = defineCommand({
  summary: 'Restart one or more boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: {
    signal: { kind: 'string', short: 's', help: 'Signal to send to the box' },
    timeout: { kind: 'int', short: 't', help: 'Seconds to wait before killing the box' },
    time: { kind: 'int', help: '', aliasOf: 'timeout' },
  },
  examples: [
    ['web', 'Stops and starts it'],
    ['-t 0 web db', 'Two boxes, without a time of grace'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    const options = { signal: flags.signal, timeoutSeconds: flags.timeout };
    return forEachBox(context, args, (name) => restartBox(engine, name, options));
  },
});
