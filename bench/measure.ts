/** Commands measured side by side in one run, in an order that changes, so that whatever else the machine does falls on all of them. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import { median, statisticsOf, type Statistics } from './statistics.ts';

export interface Contender {
  name: string;
  command: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Read as its input. */
  stdin?: string;
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
 * Runs all of them `rounds` times, in turn; every other round goes backwards. Rounds of warm-up do not count.
 * @throws Error when one fails, or says something else than was expected of it
 */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
  warmUp = 1,
): Promise<Comparison> {
  const times = contenders.map((): number[] => []);
  for (let round = -warmUp; round < rounds; round += 1) {
    const order = [...contenders.entries()];
    for (const [index, contender] of round % 2 === 0 ? order : order.toReversed()) {
      const ms = await time(contender);
      if (round >= 0) times[index]?.push(ms);
    }
  }
  const last = times.at(-1) ?? [];
  return {
    times: times.map(statisticsOf),
    ratios: times.map((mine) => median(mine.map((ms, round) => ms / (last[round] ?? Number.NaN)))),
  };
}

/** From just before the command is spawned until it has been reaped. */
export async function time({ name, command, env, stdin, before, after }: Contender): Promise<number> {
  await before?.();
  const [program = '', ...args] = command;
  const input = stdin === undefined ? 'ignore' : openSync(stdin, 'r');
  const began = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: [input, after === undefined ? 'ignore' : 'pipe', 'pipe'],
    timeout: DEADLINE_MS,
    encoding: 'utf8',
  });
  const ms = performance.now() - began;
  if (typeof input === 'number') closeSync(input);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${name} failed with status ${status}: ${stderr}`);
  await after?.(stdout);
  return ms;
}

/** Runs `total` of them, `width` at a time; milliseconds for all. @throws Error when one fails. */
export async function timeMany(contender: Contender, total: number, width: number): Promise<number> {
  const began = performance.now();
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < total) {
      begun += 1;
      await run(contender);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return performance.now() - began;
}

function run({ name, command, env }: Contender): Promise<void> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: DEADLINE_MS,
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`${name} failed with status ${status}: ${complaint}`));
    });
  });
}

/** Expects an output; an error that ends with status 0 is no result. */
export function expects(wanted: string): (output: string) => void {
  return (output) => {
    if (output !== wanted)
      throw new Error(`said ${JSON.stringify(output.slice(0, 200))}, not ${JSON.stringify(wanted)}`);
  };
}
