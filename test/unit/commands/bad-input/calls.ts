/** How each command is called in the tests of bad input: up to the point where its flags have all been judged, and no further. */
import { PassThrough } from 'node:stream';

import { dispatch } from '../../../../src/commands/dispatch.ts';
import { groups, plain, spellings } from '../../../../src/commands/registry.ts';
import type { Engine } from '../../../../src/engine/types.ts';

export type CommandName = (typeof plain)[number];

/** Every command but the one that shells ask. */
export const commandNames: readonly CommandName[] = [
  ...new Set([...plain, ...Object.values(groups).flatMap(({ commands }) => Object.values(commands))]),
];

/** Nothing listens there, and no name has to be looked up. */
const NO_REGISTRY = '127.0.0.1:1/absent';

/**
 * Flags and operands with which a command ends before it starts a VM, waits or talks to anybody: a name that is taken, a box or
 * an image that is not there. `box1` is there and does not run.
 */
const REST: Readonly<Partial<Record<CommandName, readonly string[]>>> = {
  attach: ['box1'],
  build: ['/absent'],
  commit: ['absent'],
  completion: ['bash'],
  containerInspect: ['box1'],
  containerPrune: ['--force'],
  cp: ['absent:/x', '/tmp/never-made'],
  create: ['--name', 'box1', 'a3s/base', 'true'],
  diff: ['absent'],
  events: ['--since', '0', '--until', '1'],
  exec: ['absent', 'true'],
  export: ['absent'],
  history: ['a3s/base'],
  imageInspect: ['a3s/base'],
  imagePrune: ['--force'],
  import: ['-'],
  inspect: ['box1'],
  kill: ['absent'],
  login: ['--username', 'u', '--password', 'p', '127.0.0.1:1'],
  logout: ['127.0.0.1:1'],
  logs: ['absent'],
  pause: ['absent'],
  poolStart: ['--image', 'absent'],
  poolStop: ['absent'],
  port: ['absent'],
  pull: [NO_REGISTRY],
  push: ['absent'],
  rename: ['absent', 'other'],
  restart: ['absent'],
  rm: ['absent'],
  rmi: ['absent'],
  run: ['--pull', 'never', 'absent'],
  save: ['absent'],
  search: [NO_REGISTRY],
  start: ['absent'],
  stats: ['--no-stream'],
  stop: ['absent'],
  systemPrune: ['--force'],
  tag: ['absent', 'other'],
  top: ['absent'],
  unpause: ['absent'],
  update: ['--restart=no', 'absent'],
  volumeInspect: ['absent'],
  volumePrune: ['--force'],
  volumeRm: ['absent'],
  wait: ['absent'],
};

export interface Answer {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line in this process. */
export async function call(argv: readonly string[], engine: Engine, env: NodeJS.ProcessEnv): Promise<Answer> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  const texts = { stdout: '', stderr: '' };
  stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  const status = await dispatch(argv, {
    env,
    stdin,
    stdout,
    stderr,
    columns: undefined,
    enableDebug: () => {},
    debug: () => false,
    engine: () => Promise.resolve(engine),
  });
  return { status, ...texts };
}

/** The words of a command: `run`, `volume create`. */
export function wordsOf(name: CommandName): string {
  return plain.includes(name) ? name : (spellings(name)[0] ?? name);
}

/** The command line with a flag, or without one. The flag stands behind the others, so that it is what counts. */
export function argvOf(name: CommandName, flag?: string): string[] {
  const rest = REST[name] ?? [];
  const operands = rest.findIndex((word, index) => !word.startsWith('-') && !isValue(rest, index));
  const at = operands === -1 ? rest.length : operands;
  return [
    ...wordsOf(name).split(' '),
    ...rest.slice(0, at),
    ...(flag === undefined ? [] : [flag]),
    ...rest.slice(at),
  ];
}

function isValue(words: readonly string[], index: number): boolean {
  return ['--name', '--pull', '--since', '--until', '--username', '--password', '--cpus', '--image'].includes(
    words[index - 1] ?? '',
  );
}
