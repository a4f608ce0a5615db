/** `stop`: ask, wait, kill. */
import { stopBox } from '../engine/stop.ts';
import { defineCommand } from './command.ts';
import { forEachBox } from './several.ts';

export const stop = defineCommand({
  summary: 'Stop one or more running boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: {
    signal: { kind: 'string', short: 's', help: 'Signal to send to the box' },
    timeout: { kind: 'int', short: 't', help: 'Seconds to wait before killing the box' },
    time: { kind: 'int', help: '', aliasOf: 'timeout' },
  },
  examples: [
    ['web', 'TERM, and KILL ten seconds later'],
    ['-t 60 -s INT db', 'Another signal, and a minute to heed it'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    const options = { signal: flags.signal, timeoutSeconds: flags.timeout };
    return forEachBox(context, args, (name) => stopBox(engine, name, options));
  },
});
