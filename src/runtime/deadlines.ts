/** How long a VM may take to come up: one place, because templates and boxes share it. */
import { A3sError } from '../errors.ts';

/** A clone answers in 60 ms, a cold boot in 2 s under emulation; many at once on a small machine wait for each other. */
const DEFAULT_SECONDS = 60;
const MAX_SECONDS = 3600;
/** A VM that does not come up is tried once more: from a template made anew, or by another cold boot. */
const TRIES = 2;

/**
 * Milliseconds that one try may take until the guest's agent answers. All tries together have `A3S_BOX_BOOT_TIMEOUT` seconds, 60 by default.
 * @throws A3sError `invalid_config`.
 */
export function bootTryMs(env: NodeJS.ProcessEnv = process.env): number {
  const text = env['A3S_BOX_BOOT_TIMEOUT'];
  const seconds = text === undefined || text === '' ? DEFAULT_SECONDS : Number(text);
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new A3sError(
      'invalid_config',
      `A3S_BOX_BOOT_TIMEOUT must be a number of seconds up to ${MAX_SECONDS}, not "${text}"`,
    );
  }
  return Math.ceil((seconds * 1000) / TRIES);
}

/** A volume takes what the image has at its place before the workload runs: gigabytes, at the rate of a slow disk. */
const FILL_MS = 600_000;

/** Milliseconds that an agent may take from its answer until the workload runs. Errors as in bootTryMs. */
export function startLimitMs(fillsVolume: boolean): number {
  return bootTryMs() + (fillsVolume ? FILL_MS : 0);
}
