/** `volume rm`: volumes and their files. */
import { removeVolume } from '../../engine/volumes/volumes.ts';
import { defineCommand } from '../command.ts';
import { forEachBox } from '../several.ts';

export const volumeRm = defineCommand({
  summary: 'Remove one or more volumes',
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  args: { min: 1 },
  flags: {
    force: { kind: 'bool', short: 'f', help: 'Force the removal of one or more volumes' },
  },
  examples: [['data logs', 'Two volumes that no box uses']],
  async run(context, { flags: { force }, args }) {
    const engine = await context.engine();
    return forEachBox(context, args, (name) => removeVolume(engine, name, { force }));
  },
});
