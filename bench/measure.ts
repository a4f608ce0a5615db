/** Two commands measured side by side in one run, so that whatever else the machine does falls on both. */
import { spawnSync } from 'node:child_process';

export interface Contender {
  name: string;
  command: string[];
  env?: NodeJS.ProcessEnv;
}

export interface Comparison {
  /** Medians in ms. */
  floor: number;
  ours: number;
  /** Fastest in ms. */
  floorBest: number;
  oursBest: number;
}

const WARM_UP = 3;
const DEADLINE_MS = 120_000;

/** Runs both `rounds` times in turn, after a warm-up that does not count. @throws Error when one fails. */
export function compare(floor: Contender, ours: Contender, rounds: number): Comparison {
  const times = { floor: [] as number[], ours: [] as number[] };
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const pair = { floor: time(floor), ours: time(ours) };
    if (round < 0) continue;
    times.floor.push(pair.floor);
    times.ours.push(pair.ours);
  }
  return {
    floor: median(times.floor),
    ours: median(times.ours),
    floorBest: Math.min(...times.floor),
    oursBest: Math.min(...times.ours),
  };
}

function time({ name, command, env }: Contender): number {
  const [program = '', ...args] = command;
  const began = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: DEADLINE_MS,
  });
  const ms = performance.now() - began;
  if (status !== 0) throw new Error(`${name} failed with status ${status}: ${stderr.toString()}`);
  return ms;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
