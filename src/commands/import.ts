/** `import`: a root filesystem in a tar becomes an image. */
import { Readable } from 'node:stream';

import { importImage } from '../engine/import.ts';
import { A3sError } from '../errors.ts';
import { type CommandContext, defineCommand } from './command.ts';
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
  async run(context, { flags, args: [source = '', name] }) {
    const id = await importImage(await context.engine(), await contentOf(context, source), {
      name: name ?? null,
      changes: flags.change,
      message: flags.message ?? `Imported from ${source}`,
      ...(flags.platform === undefined ? {} : { platform: flags.platform }),
    });
    await context.print(`${id}\n`);
  },
});

async function contentOf(context: CommandContext, source: string): Promise<Readable> {
  if (source === '-') return context.stdin;
  if (!/^https?:\/\//.test(source)) return inputFile(source);
  try {
    const answer = await fetch(source);
    if (answer.ok && answer.body !== null) return Readable.fromWeb(answer.body);
    throw new Error(`status ${answer.status} ${answer.statusText}`);
  } catch (cause) {
    const reason =
      cause instanceof Error ? (cause.cause instanceof Error ? cause.cause : cause).message : String(cause);
    throw new A3sError('registry_unreachable', `cannot download ${source}: ${reason}`, { cause });
  }
}
