/** `import`: a root filesystem in a tar becomes an image. */
import type { Readable } from 'node:stream';

import { fetchUrl, importImage, isUrl, shownUrl } from '../engine/import.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { platformOf } from './default-platform.ts';
import { inputFile } from './input-file.ts';

export const importCommand = defineCommand({
  summary: 'Import the contents from a tarball to create a filesystem image',
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  args: { min: 1, max: 2 },
  flags: {
    change: { kind: 'list', short: 'c', help: 'Apply Dockerfile instruction to the created image' },
    message: { kind: 'string', short: 'm', help: 'Set commit message for imported image' },
    platform: { kind: 'string', help: 'Set platform if server is multi-platform capable' },
  },
  examples: [
    ['root.tar.gz app:base', 'A root filesystem becomes an image'],
    ['-c \'CMD ["sh"]\' - app:base', 'From stdin, with a command of its own'],
  ],
  async run(context, { flags, args: [source = '', name] }) {
    const platform = platformOf(flags.platform, context.env);
    const from = isUrl(source) ? shownUrl(source) : source;
    const id = await importImage(await context.engine(), await contentOf(context, source), {
      name: name ?? null,
      changes: flags.change,
      message: flags.message ?? `Imported from ${from}`,
      ...(platform === undefined ? {} : { platform }),
    });
    await context.print(`${id}\n`);
  },
});

async function contentOf(context: CommandContext, source: string): Promise<Readable> {
  if (source === '-') return context.stdin;
  if (!isUrl(source)) return inputFile(source);
  return fetchUrl(source, context.env);
}
