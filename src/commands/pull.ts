/** `pull`: an image from a registry. */
import { pull as pullImage } from '../engine/pull.ts';
import { noProgress, progressOn } from '../output/progress.ts';
import { defineCommand } from './command.ts';
import { platformOf } from './default-platform.ts';
import { never } from './flags/spec.ts';

export const pull = defineCommand({
  summary: 'Download an image from a registry',
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  args: { min: 1, max: 1 },
  flags: {
    'all-tags': { kind: 'bool', short: 'a', help: 'Download all tagged images in the repository' },
    'disable-content-trust': {
      ...never('bool', 'images are told by their digests, and no signature is looked for'),
      default: 'true',
    },
    insecure: {
      kind: 'bool',
      help: 'Allow the registry plain HTTP and a certificate that cannot be verified',
    },
    platform: { kind: 'string', help: 'Set platform if server is multi-platform capable' },
    quiet: { kind: 'bool', short: 'q', help: 'Suppress verbose output' },
  },
  examples: [
    ['alpine:3.20', 'An image from Docker Hub'],
    ['-q ghcr.io/example/app:1', 'From another registry, without progress'],
  ],
  async run(context, { flags, args: [name = ''] }) {
    const platform = platformOf(flags.platform, context.env);
    const progress = flags.quiet ? noProgress : progressOn(context.stdout);
    try {
      const reference = await pullImage(await context.engine(), name, {
        allTags: flags['all-tags'],
        insecure: flags.insecure,
        progress,
        ...(platform === undefined ? {} : { platform }),
      });
      progress.end();
      await context.print(`${reference}\n`);
    } finally {
      progress.end();
    }
  },
});
