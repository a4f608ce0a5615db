/** `start`: boxes that exist run again. */
import { findBox } from '../engine/engine.ts';
import { startBox } from '../engine/start.ts';
import { A3sError } from '../errors.ts';
import { oneLine } from '../output/one-line.ts';
import { chosenDetachKeys, DEFAULT_DETACH_KEYS } from './attach/detach-keys.ts';
import { finishRun } from './attach/run-streams.ts';
import { checkTerminal, windowSize } from './attach/terminal.ts';
import { defineCommand } from './command.ts';
import { never } from './flags/spec.ts';
import { forEachBox } from './several.ts';

export const start = defineCommand({
  summary: 'Start one or more stopped boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: {
    attach: { kind: 'bool', short: 'a', help: 'Attach STDOUT/STDERR and forward signals' },
    'detach-keys': {
      kind: 'string',
      help: 'Override the key sequence for detaching a box',
      default: DEFAULT_DETACH_KEYS,
    },
    interactive: { kind: 'bool', short: 'i', help: "Attach box's STDIN" },
    checkpoint: never('string', 'a box has no checkpoints'),
    'checkpoint-dir': never('string', 'a box has no checkpoints'),
  },
  examples: [
    ['db web', 'Two boxes, in the background'],
    ['-ai build', 'A box that keeps its input open, on this terminal'],
  ],
  async run(context, { flags, given, args }) {
    const engine = await context.engine();
    const [name = ''] = args;
    if (!flags.attach && !flags.interactive) {
      const startOne = async (each: string): Promise<void> => {
        const { session } = await startBox(engine, each, { output: false, stdin: false });
        await session?.started;
        session?.detach();
      };
      return forEachBox(context, args, startOne, {
        summary: (failed) => oneLine(`Error: failed to start containers: ${failed.join(', ')}`),
      });
    }
    if (args.length > 1) {
      throw new A3sError('usage', 'you cannot start and attach multiple containers at once');
    }
    const detachKeys = chosenDetachKeys(context, flags, given);
    const { tty, open_stdin } = await findBox(engine, name);
    const stdin = flags.interactive && open_stdin;
    checkTerminal(context.stdin, stdin, tty);
    const { session } = await startBox(engine, name, {
      output: true,
      stdin,
      ...windowSize(context.stdout),
    });
    if (session === null) return 0;
    return finishRun(
      context,
      session,
      { stdin, stdout: true, stderr: true },
      { tty, 'sig-proxy': !tty, 'detach-keys': detachKeys },
    );
  },
});
