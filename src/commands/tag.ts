/** `tag`: another name for an image. */
import { tagImage } from '../engine/tag.ts';
import { defineCommand } from './command.ts';

export const tag = defineCommand({
  summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  args: { min: 2, max: 2 },
  flags: {},
  examples: [['app registry.example.org/app:1', 'A further name, for push']],
  async run(context, { args: [source = '', target = ''] }) {
    await tagImage(await context.engine(), source, target);
  },
});
