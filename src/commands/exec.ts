/** `exec`: one more process in a running box. */
import { A3sError } from '../errors.ts';
import { oneLine } from '../output/one-line.ts';
import { execBox, execDetached } from '../engine/exec.ts';
import { chosenDetachKeys, DEFAULT_DETACH_KEYS } from './attach/detach-keys.ts';
import { exitStatusOf, streamSession, type StreamEnd } from './attach/stream.ts';
import { checkTerminal, windowSize } from './attach/terminal.ts';
import { defineCommand, type CommandContext } from './command.ts';
import { readEnvironment } from './environment.ts';

/** More than a century is no deadline; the guest counts in nanoseconds. */
const LONGEST_S = 2 ** 32;

export const exec = defineCommand({
  summary: 'Execute a command in a running box',
  usage: '[OPTIONS] BOX COMMAND [ARG...]',
  args: { min: 2 },
  stopAtOperand: true,
  flags: {
    detach: { kind: 'bool', short: 'd', help: 'Detached mode: run command in the background' },
    'detach-keys': {
      kind: 'string',
      help: 'Override the key sequence for detaching a box',
      default: DEFAULT_DETACH_KEYS,
    },
    env: { kind: 'env', short: 'e', help: 'Set environment variables' },
    'env-file': { kind: 'list', help: 'Read in a file of environment variables' },
    interactive: { kind: 'bool', short: 'i', help: 'Keep STDIN open even if not attached' },
    privileged: { kind: 'bool', help: 'Give extended privileges to the command' },
    timeout: { kind: 'int', help: 'Seconds after which the command is killed (exit status 124)' },
    tty: { kind: 'bool', short: 't', help: 'Allocate a pseudo-TTY' },
    user: {
      kind: 'string',
      short: 'u',
      help: 'Username or UID (format: "<name|uid>[:<group|gid>]")',
    },
    workdir: { kind: 'string', short: 'w', help: 'Working directory inside the box' },
  },
  examples: [
    ['web cat /etc/os-release', 'A command in a box that runs'],
    ['-it web sh', 'A shell on this terminal'],
    ['--timeout 30 -u 1000 -w /app -e CI=1 web make test', 'As another user, for half a minute at most'],
  ],
  async run(context, { flags, given, args }) {
    const [box = '', ...words] = args;
    const { timeout = 0 } = flags;
    if (timeout < 0) throw new A3sError('usage', '--timeout cannot be negative');
    const stdin = flags.interactive && !flags.detach;
    const env = await readEnvironment(flags.env, flags['env-file'], context.env);
    const detachKeys = chosenDetachKeys(context, flags, given);
    checkTerminal(context.stdin, stdin, flags.tty);
    const engine = await context.engine();
    const spec = {
      cmd: words[0] === '--' ? words.slice(1) : words,
      // The agent adds variables to the workload's; it takes none away.
      env: env.filter((entry) => entry.includes('=')),
      tty: flags.tty,
      openStdin: stdin,
      privileged: flags.privileged,
      ...(flags.user ? { user: flags.user } : {}),
      ...(flags.workdir ? { workingDir: flags.workdir } : {}),
      timeoutSeconds: Math.min(timeout, LONGEST_S),
      ...windowSize(context.stdout),
    };
    if (flags.detach) {
      await execDetached(engine, box, spec).catch(refuse);
      return 0;
    }
    const session = await execBox(engine, box, spec);
    let end: StreamEnd;
    try {
      end = await streamSession(context, session, {
        stdin,
        stdout: true,
        stderr: true,
        tty: flags.tty,
        sigProxy: true,
        detachKeys,
      });
    } catch (error) {
      return await sayOnStdout(context, error);
    }
    if (end.how === 'ended') return exitStatusOf(end.result);
    if (end.how === 'left') return end.exitStatus;
    context.warn('read escape sequence');
    return 1;
  },
});

/** Why a command could not be started comes over its own stdout, as a line of a terminal: Docker's engine writes it there. */
async function sayOnStdout(context: CommandContext, error: unknown): Promise<number> {
  if (!(error instanceof A3sError) || error.code !== 'start_failed') throw error;
  await context.print(`${oneLine(error.message)}\r\n`);
  return error.exitStatus ?? 1;
}

/** Nobody waits for the command's own status: one that cannot be started is a failure like any other, as with Docker. */
function refuse(error: unknown): never {
  if (!(error instanceof A3sError)) throw error;
  throw new A3sError(error.code, error.message, {
    exitStatus: 1,
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
