/** `load`: images from an archive. */
import { loadImages } from '../engine/load.ts';
import { A3sError } from '../errors.ts';
import { noProgress, progressOn } from '../output/progress.ts';
import { defineCommand } from './command.ts';
import { inputFile } from './input-file.ts';

export const load = defineCommand({
  summary: 'Load an image from a tar archive or STDIN',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    input: { kind: 'string', short: 'i', help: 'Read from tar archive file, instead of STDIN' },
    platform: {
      kind: 'string',
      help: 'Load the variant of a multi-platform image that is for this platform',
    },
    quiet: { kind: 'bool', short: 'q', help: 'Suppress the load output' },
  },
  examples: [
    ['-i app.tar', 'Images from an archive'],
    ['-q', 'From stdin, without progress'],
  ],
  async run(context, { flags }) {
    const { input = '', platform } = flags;
    if (input === '' && context.stdin.isTTY === true) {
      throw new A3sError('usage', 'requested load from stdin, but stdin is empty');
    }
    const source = input === '' ? context.stdin : await inputFile(input);
    // Without a terminal Docker's client asks for the result alone.
    const progress = flags.quiet || context.stdout.isTTY !== true ? noProgress : progressOn(context.stdout);
    try {
      const lines = await loadImages(await context.engine(), source, {
        progress,
        ...(platform ? { platform } : {}),
      });
      progress.end();
      await context.print(lines.map((line) => `${line}\n`).join(''));
    } finally {
      progress.end();
    }
  },
});
