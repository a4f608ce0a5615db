/** HEALTHCHECK. */
import { goQuote } from '../../../go-quote.ts';
import { parseDuration } from '../../../units.ts';
import { DockerfileError } from '../error.ts';
import type { SyntaxNode } from '../syntax/tree.ts';
import { parseFlags } from './flag-values.ts';
import type { Healthcheck } from './types.ts';
import { atLeastOne, commandIn, written } from './words-of.ts';

const FLAGS = {
  interval: 'string',
  timeout: 'string',
  'start-period': 'string',
  'start-interval': 'string',
  retries: 'string',
} as const;
const LEAST_NS = 1_000_000;
const RETRIES_MAX = 2 ** 31 - 1;

/** @throws DockerfileError */
export function parseHealthcheck(node: SyntaxNode): Healthcheck {
  if (node.arguments.form !== 'check') throw atLeastOne('HEALTHCHECK');
  const kind = node.arguments.kind.toUpperCase();
  const command = commandIn(node.arguments.command);
  const base = { kind: 'healthcheck', ...written(node) } as const;
  if (kind === 'NONE') {
    if (command.words.length > 0) throw new DockerfileError('HEALTHCHECK NONE takes no arguments');
    return { ...base, test: ['NONE'], ...NO_TIMES, retries: 0 };
  }
  const flags = parseFlags(node.flags, FLAGS);
  if (kind !== 'CMD') {
    throw new DockerfileError(`Unknown type ${goQuote(kind)} in HEALTHCHECK (try CMD)`);
  }
  if (command.words.length === 0) throw new DockerfileError('Missing command after HEALTHCHECK CMD');
  return {
    ...base,
    test: [command.shell ? 'CMD-SHELL' : 'CMD', ...command.words],
    interval: duration('interval', flags.interval),
    timeout: duration('timeout', flags.timeout),
    startPeriod: duration('start-period', flags['start-period']),
    startInterval: duration('start-interval', flags['start-interval']),
    retries: retries(flags.retries),
  };
}

const NO_TIMES = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0 };

/** Nanoseconds. */
function duration(name: string, value: string): number {
  const length = value === '' ? 0 : parseDuration(value);
  if (length !== 0 && length < LEAST_NS) {
    throw new DockerfileError(`Interval ${goQuote(name)} cannot be less than 1ms`);
  }
  return length;
}

function retries(value: string): number {
  if (value === '') return 0;
  const failure = (reason: string): DockerfileError =>
    new DockerfileError(`strconv.ParseInt: parsing ${goQuote(value)}: ${reason}`);
  if (!/^[+-]?\d+$/.test(value)) throw failure('invalid syntax');
  const count = Number(value);
  if (Math.abs(count) > RETRIES_MAX) throw failure('value out of range');
  if (count < 0) throw new DockerfileError(`--retries cannot be negative (${count})`);
  return count;
}
