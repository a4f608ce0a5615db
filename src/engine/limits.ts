/** What a box may be asked to be; everything else is refused before anything is made. */
import { availableParallelism, totalmem } from 'node:os';

import { A3sError } from '../errors.ts';
import { checkSettings } from './settings/check.ts';
import type { CreateOptions } from './types.ts';

const MIB = 1024 * 1024;
const MIN_MEMORY_MIB = 64;
const MIN_CPUS = 0.01;
/** Those of a box that asks for none. It may have as many, even on a smaller host. */
export const DEFAULT_CPUS = 2;
const HOSTNAME_MAX = 63;

/** @throws A3sError `invalid_config` in Docker's words where it has any. */
export function checkLimits(options: CreateOptions): void {
  checkMemory(options.memoryBytes);
  checkCpus(options.cpus);
  if (options.settings !== undefined) checkSettings(options.settings, options.memoryBytes);
  if (options.hostname !== undefined) checkHostname(options.hostname);
}

/** Whole MiB of a number of bytes. */
export function memoryMiB(bytes: number): number {
  return Math.floor(bytes / MIB);
}

/** @throws A3sError `invalid_config`. */
export function checkMemory(bytes: number): void {
  if (bytes < MIN_MEMORY_MIB * MIB)
    throw new A3sError('invalid_config', `Minimum memory limit allowed is ${MIN_MEMORY_MIB}MB`);
  // A machine of more would not come up.
  const most = totalmem();
  if (bytes <= most) return;
  throw new A3sError(
    'invalid_config',
    `Maximum memory limit allowed is ${Math.floor(most / MIB)}MB, as there is no more on this host`,
  );
}

/** @throws A3sError `invalid_config`. */
export function checkCpus(cpus: number): void {
  const available = availableParallelism();
  const most = Math.max(available, DEFAULT_CPUS);
  if (cpus >= MIN_CPUS && cpus <= most) return;
  throw new A3sError(
    'invalid_config',
    `range of CPUs is from ${MIN_CPUS} to ${most}.00, as there are only ${available} CPUs available`,
  );
}

function checkHostname(hostname: string): void {
  if (hostname.length <= HOSTNAME_MAX && /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(hostname)) return;
  throw new A3sError('invalid_config', `invalid hostname: ${hostname}`, {
    hint: `a hostname has letters, digits, dots and dashes, at most ${HOSTNAME_MAX}`,
  });
}
