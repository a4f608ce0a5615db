/** Commands measured side by side in one run. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import { plainEnvironment } from './environment.ts';
import { median, statisticsOf, type Statistics } from './statistics.ts';
import { inTurn } from './turns.ts';

export interface Contender {
  name: string;
  command: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Read as its input. */
  stdin?: string;
  /** The file that gets its output, where that is too long to be held. */
  stdout?: string;
  /** Done before each run, and not counted. */
  before?: () => void | Promise<void>;
  /** Done after each run, with its output, and not counted; says what is wrong by throwing. */
  after?: (output: string) => void | Promise<void>;
}

export interface Comparison {
  /** Milliseconds of each contender. */
  times: Statistics[];
  /** Medians of the ratios of each to the last one, round by round. */
  ratios: number[];
}

const DEADLINE_MS = 600_000;

/**
 * Runs all of them `rounds` times, in turn. Rounds of warm-up do not count.
 * @throws Error when one fails, or says something else than was expected of it
 */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
  warmUp = 1,
): Promise<Comparison> {
  const times = await inTurn(contenders.length, rounds, warmUp, (index) => {
    const contender = contenders[index];
    if (contender === undefined) throw new Error(`there is no contender ${index}`);
    return time(contender);
  });
  const last = times.at(-1) ?? [];
  return {
    times: times.map(statisticsOf),
    ratios: times.map((mine) => median(mine.map((ms, round) => ms / (last[round] ?? Number.NaN)))),
  };
}

/**
 * Milliseconds from just before the command is spawned until it has been reaped.
 * @throws Error when it fails, or says something else than was expected of it
 */
export async function time({ name, command, env, stdin, stdout, before, after }: Contender): Promise<number> {
  await before?.();
  const [program = '', ...args] = command;
  const input = stdin === undefined ? 'ignore' : openSync(stdin, 'r');
  const output = stdout === undefined ? (after === undefined ? 'ignore' : 'pipe') : openSync(stdout, 'w');
  const began = performance.now();
  const ended = spawnSync(program, args, {
    env: { ...plainEnvironment(), ...env },
    stdio: [input, output, 'pipe'],
    timeout: DEADLINE_MS,
    encoding: 'utf8',
  });
  const ms = performance.now() - began;
  for (const file of [input, output]) if (typeof file === 'number') closeSync(file);
  if (ended.error !== undefined) throw ended.error;
  if (ended.status !== 0) throw new Error(`${name} failed with status ${ended.status}: ${ended.stderr}`);
  await after?.(typeof output === 'number' ? '' : ended.stdout);
  return ms;
}

/**
 * Runs `total` of them, `width` at a time; milliseconds for all. Outputs are looked at when all have ended.
 * @throws Error when one fails, or says something else than was expected of it
 */
export async function timeMany(contender: Contender, total: number, width: number): Promise<number> {
  const outputs: string[] = [];
  const began = performance.now();
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < total) {
      begun += 1;
      outputs.push(await run(contender));
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  const ms = performance.now() - began;
  for (const output of outputs) await contender.after?.(output);
  return ms;
}

function run({ name, command, env }: Contender): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DEADLINE_MS,
  });
  const said = { output: '', complaint: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.complaint += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(said.output);
      else reject(new Error(`${name} failed with status ${status}: ${said.complaint}`));
    });
  });
}

/** Expects an output; an error that ends with status 0 is no result. */
export function expects(wanted: string | RegExp): (output: string) => void {
  return (output) => {
    const right = typeof wanted === 'string' ? output === wanted : wanted.test(output);
    if (right) return;
    const form = typeof wanted === 'string' ? JSON.stringify(wanted) : String(wanted);
    throw new Error(`said ${JSON.stringify(output.slice(0, 200))}, not ${form}`);
  };
}
