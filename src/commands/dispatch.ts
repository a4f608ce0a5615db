/** From the words of a command line to an exit status. Prints, never exits. */
import { A3sError } from '../errors.ts';
import type { Command, CommandContext } from './command.ts';
import {
  describe,
  isOfEngine,
  renderCountError,
  renderFailure,
  renderFlagError,
  renderUnexpected,
  statusOf,
} from './failure.ts';
import { parseFlags } from './flags/parse.ts';
import { refused } from './flags/spec.ts';
import { PROGRAM, commandHelp, groupHelp, programHelp, usageLine } from './help.ts';
import { oneLine } from '../output/one-line.ts';
import { find, isDockers, load, type Found } from './registry.ts';

/** What the process gives to a command; the rest of the context is made here. */
export type Surroundings = Pick<CommandContext, 'env' | 'stdin' | 'stdout' | 'stderr' | 'engine'> & {
  /** Width of the terminal, if there is one. */
  columns: number | undefined;
  /** Called when `--debug` asks for stacks. */
  enableDebug: () => void;
  /** Whether stacks are asked for. */
  debug: () => boolean;
};

interface Io {
  around: Surroundings;
  print: (text: string) => Promise<void>;
  warn: (text: string) => void;
}

const globalFlags = {
  config: { kind: 'string', help: '' },
  debug: { kind: 'bool', short: 'D', help: '' },
  version: { kind: 'bool', short: 'v', help: '' },
  host: { kind: 'list', short: 'H', help: '', refused: true },
  context: { kind: 'string', short: 'c', help: '', refused: true },
  'log-level': { kind: 'string', short: 'l', help: '', default: 'info', refused: true },
  ...refused('bool', 'tls', 'tlsverify'),
  ...refused('string', 'tlscacert', 'tlscert', 'tlskey'),
} as const;

/** Runs the command line after the program's name and returns its exit status. */
export async function dispatch(argv: readonly string[], around: Surroundings): Promise<number> {
  const io: Io = {
    around,
    print: writer(around.stdout),
    warn: (text) => void around.stderr.write(text),
  };
  let global;
  try {
    global = parseFlags(globalFlags, argv, { interspersed: false });
  } catch (error) {
    return refuse(error, `Usage:  ${PROGRAM} [OPTIONS] COMMAND [ARG...]`, '', io);
  }
  if (global.values.debug) around.enableDebug();
  // Whoever reads that file, also on behalf of a command, is told by the variable.
  if (global.values.config) around.env['DOCKER_CONFIG'] = global.values.config;
  if (global.values.version) {
    const { packageVersion } = await import('../engine/version.ts');
    await io.print(`${PROGRAM} version ${packageVersion()}\n`);
    return 0;
  }
  const words = global.operands;
  if (words[0] === 'help') return help(words.slice(1), io);
  if (words.length === 0) {
    if (global.help) await io.print(await programHelp());
    else io.warn(await programHelp());
    return 0;
  }
  return follow(find(words), global.help, io);
}

async function follow(found: Found, helpAsked: boolean, io: Io): Promise<number> {
  if (found.kind === 'unknown') {
    io.warn(unknownCommand(found.path, found.group));
    return 1;
  }
  if (found.kind === 'group') {
    const usage = `Usage:  ${PROGRAM} ${found.path} COMMAND`;
    try {
      const { help: asked } = parseFlags({}, found.rest, { interspersed: true });
      const text = await groupHelp(found.path, found.group);
      if (asked || helpAsked) await io.print(text);
      else io.warn(text);
      return 0;
    } catch (error) {
      return refuse(error, usage, found.path, io);
    }
  }
  const command = await load(found.name);
  if (helpAsked) {
    await io.print(commandHelp(command, found.name, found.path, io.around.columns));
    return 0;
  }
  return call(command, found, io);
}

async function call(command: Command, found: Found & { kind: 'command' }, io: Io): Promise<number> {
  const usage = usageLine(command, found.path);
  let parsed;
  try {
    parsed = parseFlags(command.flags, found.rest, { interspersed: command.stopAtOperand !== true });
  } catch (error) {
    return refuse(error, usage, found.path, io);
  }
  if (parsed.help) {
    await io.print(commandHelp(command, found.name, found.path, io.around.columns));
    return 0;
  }
  const miscounted = renderCountError(parsed.operands.length, command.args, usage, found.path);
  if (miscounted !== undefined) {
    io.warn(miscounted);
    return 1;
  }
  const failureStatus = command.failureStatus ?? 1;
  const context: CommandContext = {
    path: found.path,
    env: io.around.env,
    get stdin() {
      return io.around.stdin;
    },
    stdout: io.around.stdout,
    stderr: io.around.stderr,
    engine: io.around.engine,
    print: io.print,
    warn: (line) => io.warn(`${line}\n`),
    report: (error) => io.warn(renderFailure(error, found.path, false)),
  };
  try {
    const invocation = { flags: parsed.values, given: parsed.given, args: parsed.operands };
    return (await command.run(context, invocation)) ?? 0;
  } catch (error) {
    const ofEngine = isOfEngine(error) ? command.engineFailureStatus : undefined;
    const status = statusOf(error, ofEngine ?? failureStatus);
    // Help has nothing to say about a caller's own Ctrl-C.
    const interrupted = error instanceof A3sError && error.code === 'interrupted';
    const pointToHelp = failureStatus === 125 && status !== 1 && !interrupted;
    if (error instanceof A3sError) io.warn(renderFailure(error, found.path, pointToHelp));
    else io.warn(renderUnexpected(error, io.around.debug()));
    return status;
  }
}

/** What the parser threw: a bad flag with the usage line, a refused one alone. */
function refuse(error: unknown, usage: string, path: string, io: Io): number {
  if (!(error instanceof A3sError)) throw error;
  io.warn(error.code === 'usage' ? renderFlagError(error, usage, path) : `${describe(error)}\n`);
  return statusOf(error, 125);
}

async function help(words: string[], io: Io): Promise<number> {
  if (words.length === 0) {
    await io.print(await programHelp());
    return 0;
  }
  const found = find(words);
  if (found.kind !== 'unknown') return follow(found, true, io);
  io.warn(`${oneLine(`unknown help topic: ${words.join(' ')}`)}\n`);
  return 1;
}

function unknownCommand(path: string, group: string | undefined): string {
  if (isDockers(path)) return `${PROGRAM}: '${PROGRAM} ${path}' is not supported yet\n`;
  const usage = group === undefined ? '' : `Usage:  ${PROGRAM} ${group}\n\n`;
  const where = group === undefined ? PROGRAM : `${PROGRAM} ${group}`;
  const line = oneLine(`${PROGRAM}: unknown command: ${PROGRAM} ${path}`);
  return `${line}\n\n${usage}Run '${where} --help' for more information\n`;
}

/** Writes and waits until the bytes have left, so that a slow reader slows the writer. */
function writer(stream: CommandContext['stdout']): (text: string) => Promise<void> {
  return (text) =>
    new Promise((resolve, reject) => {
      if (text === '') resolve();
      else stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
}
