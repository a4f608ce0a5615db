/** `A3S_BOX_POOL=N`: what is run gets a pool of N boxes like it. */
import { A3sError } from '../../errors.ts';
import { poolSize } from '../../state/warm-boxes.ts';
import { memoryMiB } from '../limits.ts';
import type { CreateOptions, Engine } from '../types.ts';
import { MAX_POOL_SIZE } from './spec.ts';

export const DEFAULT_TTL_MS = 30 * 60_000;

/** @throws A3sError `invalid_config` for a variable that says nothing of use. */
export function wantedPoolSize(env: NodeJS.ProcessEnv = process.env): number {
  const text = env['A3S_BOX_POOL'] ?? '';
  if (text === '') return 0;
  const size = poolSize(env);
  if (size !== undefined && size <= MAX_POOL_SIZE) return size;
  throw new A3sError(
    'invalid_config',
    `A3S_BOX_POOL must be a number of boxes up to ${MAX_POOL_SIZE}, not "${text}"`,
  );
}

/** Starts the pool, or makes it as large as is wanted, once the box runs. A pool that cannot be had is no fault of the run's. */
export async function keepMoreLike(
  engine: Engine,
  options: CreateOptions,
  size: number,
  started: Promise<void>,
): Promise<void> {
  try {
    await started;
  } catch {
    // What cannot be started need not be kept.
    return;
  }
  const { startPool } = await import('./pools.ts');
  const spec = {
    image: options.image,
    cpus: options.cpus,
    memoryMb: memoryMiB(options.memoryBytes),
    size,
    ttlMs: DEFAULT_TTL_MS,
    atLeast: true,
  };
  try {
    await startPool(engine, spec);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    engine.notify(`WARNING: no pool: ${why}`);
  }
}
