/** `create`: a box that does not run yet. */
import { readClientConfig } from '../engine/client-config.ts';
import { createBox } from '../engine/create.ts';
import { boxFlags } from './box-flags.ts';
import { boxOptions } from './box-options.ts';
import { openCidFile } from './cidfile.ts';
import { defineCommand } from './command.ts';
import { withImage } from './missing-image.ts';

export const create = defineCommand({
  summary: 'Create a new box',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  args: { min: 1 },
  stopAtOperand: true,
  failureStatus: 125,
  engineFailureStatus: 1,
  flags: boxFlags,
  examples: [
    ['--name db -v data:/var/lib/postgresql/data postgres', 'A box with a volume, to be started later'],
  ],
  async run(context, { flags, args, given }) {
    const config = readClientConfig(context);
    const options = await boxOptions(flags, args, { env: context.env, config }, given);
    await using cidFile = await openCidFile(flags.cidfile);
    const policy = { ...flags, image: options.image, platform: options.platform };
    const record = await withImage(context, policy, (engine) => createBox(engine, options));
    await cidFile.write(record.id);
    await context.print(`${record.id}\n`);
  },
});
