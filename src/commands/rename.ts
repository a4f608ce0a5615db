/** `rename`: another name for a box. */
import { renameBox } from '../engine/rename.ts';
import { A3sError } from '../errors.ts';
import { oneLine } from '../output/one-line.ts';
import { defineCommand } from './command.ts';

export const rename = defineCommand({
  summary: 'Rename a box',
  usage: 'BOX NEW_NAME',
  args: { min: 2, max: 2 },
  flags: {},
  examples: [['brave_otter web', 'Another name for the box']],
  async run(context, { args }) {
    const [box = '', name = ''] = args;
    try {
      await renameBox(await context.engine(), box, name);
    } catch (error) {
      if (!(error instanceof A3sError) || error.code === 'usage') throw error;
      context.report(error);
      context.warn(oneLine(`Error: failed to rename container named ${box}`));
      return 1;
    }
    return 0;
  },
});
