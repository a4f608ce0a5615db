/** `run`: a box from an image, and the caller joined to it. */
import { readClientConfig } from '../engine/client-config.ts';
import { isDiscarded, runBox } from '../engine/run.ts';
import { A3sError } from '../errors.ts';
import { chosenDetachKeys, DEFAULT_DETACH_KEYS } from './attach/detach-keys.ts';
import { finishRun, streamsOf } from './attach/run-streams.ts';
import { checkTerminal, windowSize } from './attach/terminal.ts';
import { boxFlags } from './box-flags.ts';
import { boxOptions } from './box-options.ts';
import { openCidFile } from './cidfile.ts';
import { defineCommand } from './command.ts';
import { withImage } from './missing-image.ts';

export const run = defineCommand({
  summary: 'Create and run a new box from an image',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  args: { min: 1 },
  stopAtOperand: true,
  failureStatus: 125,
  flags: {
    ...boxFlags,
    detach: { kind: 'bool', short: 'd', help: 'Run box in background and print box ID' },
    'detach-keys': {
      kind: 'string',
      help: 'Override the key sequence for detaching a box',
      default: DEFAULT_DETACH_KEYS,
    },
    'sig-proxy': {
      kind: 'bool',
      help: 'Proxy received signals to the process',
      default: 'true',
    },
  },
  examples: [
    ['--rm a3s/base echo hello', 'A command in a box that is removed afterwards'],
    ['-it --rm debian bash', 'A shell on this terminal'],
    [
      '-d --name web -p 8080:80 --restart unless-stopped nginx',
      'A service in the background, published on port 8080',
    ],
    ['--rm -v "$PWD":/src -w /src -m 1g --cpus 2 node npm test', 'A directory of the host, with more memory'],
  ],
  async run(context, { flags, args, given }) {
    if (flags.detach && flags.attach.length > 0) {
      throw new A3sError('usage', 'conflicting options: cannot specify both --attach and --detach', {
        exitStatus: 125,
      });
    }
    const config = readClientConfig(context);
    const options = await boxOptions(flags, args, { env: context.env, config }, given);
    const detachKeys = chosenDetachKeys(context, flags, given);
    const streams = streamsOf(flags);
    if (!flags.detach) checkTerminal(context.stdin, streams.stdin, flags.tty);
    await using cidFile = await openCidFile(flags.cidfile);
    const policy = { ...flags, image: options.image, platform: options.platform };
    const attach = { output: !flags.detach, stdin: streams.stdin, ...windowSize(context.stdout) };
    const { record, session, pooled } = await withImage(context, policy, (engine) =>
      runBox(engine, options, attach),
    );
    await cidFile.write(record.id);
    // Handled before the failure ends the command, which removes the file then.
    session.started.catch((error: unknown) => {
      if (isDiscarded(error)) cidFile.forget();
    });
    if (flags.detach) {
      await session.started;
      await context.print(`${record.id}\n`);
      session.detach();
      await pooled;
      return 0;
    }
    const status = await finishRun(context, session, streams, { ...flags, 'detach-keys': detachKeys });
    await pooled;
    return status;
  },
});
