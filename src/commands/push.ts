/** `push`: an image to a registry. */
import { push as pushImage } from '../engine/push.ts';
import { noProgress, progressOn } from '../output/progress.ts';
import { defineCommand } from './command.ts';
import { never } from './flags/spec.ts';

export const push = defineCommand({
  summary: 'Upload an image to a registry',
  usage: '[OPTIONS] NAME[:TAG]',
  args: { min: 1, max: 1 },
  flags: {
    'all-tags': { kind: 'bool', short: 'a', help: 'Push all tags of an image to the repository' },
    'disable-content-trust': {
      ...never('bool', 'images are told by their digests, and no signature is looked for'),
      default: 'true',
    },
    insecure: {
      kind: 'bool',
      help: 'Allow the registry plain HTTP and a certificate that cannot be verified',
    },
    platform: never('string', 'a name stands for an image of one platform'),
    quiet: { kind: 'bool', short: 'q', help: 'Suppress verbose output' },
  },
  examples: [
    ['registry.example.org/app:1', 'An image to its registry'],
    ['-aq registry.example.org/app', 'All tags of a name, without progress'],
  ],
  async run(context, { flags, args: [name = ''] }) {
    const progress = flags.quiet ? noProgress : progressOn(context.stdout);
    try {
      const reference = await pushImage(await context.engine(), name, {
        allTags: flags['all-tags'],
        insecure: flags.insecure,
        progress,
      });
      if (flags.quiet) await context.print(`${reference}\n`);
    } finally {
      progress.end();
    }
  },
});
