/** `attach`: the workload's own streams, joined once more. */
import { findAttachable, joinBox } from '../engine/attach.ts';
import { chosenDetachKeys, DEFAULT_DETACH_KEYS } from './attach/detach-keys.ts';
import { exitStatusOf, streamSession } from './attach/stream.ts';
import { checkTerminal, windowSize } from './attach/terminal.ts';
import { defineCommand } from './command.ts';

export const attach = defineCommand({
  summary: 'Attach local standard input, output, and error streams to a running box',
  usage: '[OPTIONS] BOX',
  args: { min: 1, max: 1 },
  flags: {
    'detach-keys': {
      kind: 'string',
      help: 'Override the key sequence for detaching a box',
      default: DEFAULT_DETACH_KEYS,
    },
    'no-stdin': { kind: 'bool', help: 'Do not attach STDIN' },
    'sig-proxy': {
      kind: 'bool',
      help: 'Proxy all received signals to the process',
      default: 'true',
    },
  },
  examples: [
    ['web', "The box's streams on this terminal, until its end or Ctrl-P Ctrl-Q"],
    ['--no-stdin --sig-proxy=false web', 'Only to watch'],
  ],
  async run(context, { flags, given, args: [name = ''] }) {
    const detachKeys = chosenDetachKeys(context, flags, given);
    const engine = await context.engine();
    const record = await findAttachable(engine, name);
    const { tty } = record;
    const stdin = record.open_stdin && !flags['no-stdin'];
    checkTerminal(context.stdin, stdin, tty);
    const size = windowSize(context.stdout);
    const session = await joinBox(engine, record, { output: true, stdin, ...size });
    // A program draws itself anew when its window changes: to this size and, below, back.
    if (tty && size.rows !== undefined && size.cols !== undefined) {
      session.resize(size.rows + 1, size.cols + 1);
    }
    const end = await streamSession(context, session, {
      stdin,
      stdout: true,
      stderr: true,
      tty,
      sigProxy: flags['sig-proxy'] && !tty,
      detachKeys,
    });
    if (end.how === 'ended') return exitStatusOf(end.result);
    if (end.how === 'left') return end.exitStatus;
    context.warn('read escape sequence');
    return 1;
  },
});
