/** `commit`: an image from what a box has changed. */
import { commitBox } from '../engine/commit.ts';
import { defineCommand } from './command.ts';

export const commit = defineCommand({
  summary: "Create a new image from a box's changes",
  usage: '[OPTIONS] BOX [REPOSITORY[:TAG]]',
  args: { min: 1, max: 2 },
  flags: {
    author: {
      kind: 'string',
      short: 'a',
      help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")',
    },
    change: { kind: 'list', short: 'c', help: 'Apply Dockerfile instruction to the created image' },
    message: { kind: 'string', short: 'm', help: 'Commit message' },
    pause: { kind: 'bool', short: 'p', help: 'Pause box during commit', default: 'true' },
  },
  examples: [
    ['web app:fixed', "The box's files as an image"],
    ["-c 'CMD [\"app\"]' -m 'Install app' web app:fixed", 'With another command and a message'],
  ],
  async run(context, { flags, args: [box = '', name] }) {
    const id = await commitBox(await context.engine(), box, {
      name: name ?? null,
      author: flags.author ?? '',
      message: flags.message ?? '',
      changes: flags.change,
      pause: flags.pause,
    });
    await context.print(`${id}\n`);
  },
});
