/** `cp`: files between a box and the host. */
import { copyIn, copyOut, type BoxPlace } from '../engine/copy/copy.ts';
import { A3sError } from '../errors.ts';
import { humanSize } from '../output/human-size.ts';
import { defineCommand } from './command.ts';

export const cp = defineCommand({
  summary: 'Copy files/folders between a box and the local filesystem',
  usage: `[OPTIONS] BOX:SRC_PATH DEST_PATH|-
       a3s-box cp [OPTIONS] SRC_PATH|- BOX:DEST_PATH`,
  args: { min: 2, max: 2 },
  flags: {
    archive: { kind: 'bool', short: 'a', help: 'Archive mode (copy all uid/gid information)' },
    'follow-link': { kind: 'bool', short: 'L', help: 'Always follow symbol link in SRC_PATH' },
    quiet: {
      kind: 'bool',
      short: 'q',
      help: 'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    },
  },
  examples: [
    ['web:/var/log/app.log .', 'A file of a box'],
    ['-a site/. web:/srv/www', 'What is in a directory, with its owners'],
    ['web:/etc - > etc.tar', 'A directory as a tar on stdout'],
  ],
  async run(context, { flags, given, args: [source = '', destination = ''] }) {
    if (source === '') throw new A3sError('usage', 'source can not be empty');
    if (destination === '') throw new A3sError('usage', 'destination can not be empty');
    const [from, to] = [placeOf(source), placeOf(destination)];
    if (from !== null && to !== null) {
      throw new A3sError('usage', 'copying between containers is not supported');
    }
    const options = { owners: flags.archive, follow: flags['follow-link'] };
    const quiet = given.has('quiet') ? flags.quiet : context.stdout.isTTY !== true;
    const engine = await context.engine();
    let copied;
    if (to !== null) {
      copied = await copyIn(engine, source === '-' ? context.stdin : source, to, options);
    } else if (from !== null) {
      const sink = destination === '-' ? context.stdout : destination;
      copied = await copyOut(engine, from, sink, options);
      if (destination === '-') return;
    } else throw new A3sError('usage', 'must specify at least one container source');
    if (!quiet) context.warn(`Successfully copied ${humanSize(copied.bytes)} to ${copied.to}`);
  },
});

/** `BOX:PATH`; null for a path of the host, which may hold a colon behind a `/` or a `.` in front. */
function placeOf(text: string): BoxPlace | null {
  const [, box, path] = /^([^:]+):([\s\S]*)$/.exec(text) ?? [];
  if (box === undefined || path === undefined || /^[./]/.test(box)) return null;
  return { box, path };
}
