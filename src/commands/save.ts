/** `save`: images into an archive. */
import { saveImages } from '../engine/save.ts';
import { A3sError } from '../errors.ts';
import { defineCommand } from './command.ts';
import { never } from './flags/spec.ts';
import { outputFile } from './output-file.ts';

export const save = defineCommand({
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: { min: 1 },
  flags: {
    output: { kind: 'string', short: 'o', help: 'Write to a file, instead of STDOUT' },
    platform: never('string', 'a name stands for an image of one platform'),
  },
  examples: [
    ['-o app.tar app:1 app:2', 'Two images in one archive'],
    ['app', 'To stdout, which must be no terminal'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    const { output = '' } = flags;
    if (output === '') {
      if (context.stdout.isTTY === true) {
        throw new A3sError('usage', 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
      }
      await saveImages(engine, args, async () => context.stdout);
      return;
    }
    await using file = outputFile(output);
    try {
      await saveImages(engine, args, () => file.open());
      await file.keep();
    } catch (error) {
      throw file.explain(error);
    }
  },
});
