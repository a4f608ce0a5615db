/** `export`: a box's root filesystem as a tar archive. */
import { exportBox } from '../engine/export.ts';
import { A3sError } from '../errors.ts';
import { defineCommand } from './command.ts';
import { outputFile } from './output-file.ts';

export const exportCommand = defineCommand({
  summary: "Export a box's filesystem as a tar archive",
  usage: '[OPTIONS] BOX',
  args: { min: 1, max: 1 },
  flags: { output: { kind: 'string', short: 'o', help: 'Write to a file, instead of STDOUT' } },
  examples: [
    ['-o web.tar web', "The box's root filesystem in a file"],
    ['web > web.tar', 'The same on stdout'],
  ],
  async run(context, { flags, args: [name = ''] }) {
    const { output = '' } = flags;
    if (output === '') {
      if (context.stdout.isTTY === true) {
        throw new A3sError('usage', 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
      }
      await exportBox(await context.engine(), name, async () => context.stdout);
      return;
    }
    await using file = outputFile(output);
    await exportBox(await context.engine(), name, () => file.open());
    await file.keep();
  },
});
