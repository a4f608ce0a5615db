/** `rmi`: names of images, and images without any. */
import { removeImage } from '../engine/remove-image.ts';
import { A3sError } from '../errors.ts';
import { defineCommand } from './command.ts';
import { never } from './flags/spec.ts';
import { removedLine } from './rows/removed-images.ts';

export const rmi = defineCommand({
  summary: 'Remove one or more images',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: { min: 1 },
  flags: {
    force: { kind: 'bool', short: 'f', help: 'Force removal of the image' },
    'no-prune': never('bool', 'no image has a parent without a name'),
    platform: never('string', 'a name stands for an image of one platform'),
  },
  examples: [
    ['app:1', 'A name, and the image with its last name'],
    ['-f app:1 app:2', 'Two, even if boxes that do not run use them'],
  ],
  async run(context, { flags, args }) {
    const engine = await context.engine();
    let status = 0;
    // One after the other: two names may be the same image's last ones.
    for (const name of args) {
      try {
        const removed = await removeImage(engine, name, { force: flags.force });
        await context.print(removed.map(removedLine).join(''));
      } catch (error) {
        if (!(error instanceof A3sError)) throw error;
        context.report(error);
        if (!(flags.force && error.code === 'no_such_image')) status = 1;
      }
    }
    return status;
  },
});
