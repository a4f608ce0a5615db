/** `pool stop`: the boxes that wait are removed; those that were taken go on. */
import { stopPools } from '../../engine/pool/pools.ts';
import { defineCommand } from '../command.ts';
import { forEachBox } from '../several.ts';

export const poolStop = defineCommand({
  summary: 'Remove the warm boxes of all images, or of some',
  usage: '[IMAGE...]',
  args: { min: 0 },
  flags: {},
  examples: [
    ['a3s/base', 'Keeps no more boxes of that image'],
    ['', 'Keeps none at all'],
  ],
  async run(context, { args }) {
    const engine = await context.engine();
    if (args.length > 0) return forEachBox(context, args, (image) => stopPools(engine, image));
    await stopPools(engine, null);
    return 0;
  },
});
