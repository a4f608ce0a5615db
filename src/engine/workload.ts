/** What a box runs: the caller's options laid over the image's configuration, by Docker's rules. Pure. */
import { posix } from 'node:path';

import { A3sError } from '../errors.ts';
import type { ImageConfig } from '../images/config.ts';
import type { CreateOptions } from './types.ts';

/** Where a workload finds programs when neither image nor caller says (moby, DefaultPathEnv). */
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_STOP_SIGNAL = 'SIGTERM';

export interface Workload {
  entrypoint: string[];
  cmd: string[];
  env: string[];
  user: string;
  working_dir: string;
  labels: Record<string, string>;
  stop_signal: string;
}

/**
 * @throws A3sError `invalid_config` when there is no command, or a directory that is not absolute.
 */
export function workloadOf(options: CreateOptions, config: ImageConfig): Workload {
  // An entrypoint of the caller's own does not go with the image's arguments.
  const keepsCmd = options.entrypoint === undefined && options.cmd.length === 0;
  const entrypoint = options.entrypoint ?? config.entrypoint;
  const cmd = keepsCmd ? config.cmd : options.cmd;
  if (entrypoint.length + cmd.length === 0) {
    throw new A3sError('invalid_config', 'no command specified', {
      hint: 'write the command after the image',
    });
  }
  return {
    entrypoint: [...entrypoint],
    cmd: [...cmd],
    env: mergeEnv(config.env, options.env),
    user: options.user ?? config.user,
    working_dir: workingDirectory(options.workingDir ?? config.workingDir),
    labels: { ...config.labels, ...options.labels },
    stop_signal: options.stopSignal ?? (config.stopSignal === '' ? DEFAULT_STOP_SIGNAL : config.stopSignal),
  };
}

/** The image's variables under the user's; a later one replaces an earlier one, a bare `K` removes it. */
export function mergeEnv(image: readonly string[], user: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of [DEFAULT_PATH, ...image, ...user]) {
    const [key = ''] = entry.split('=', 1);
    if (entry.includes('=')) merged.set(key, entry);
    else merged.delete(key);
  }
  return [...merged.values()];
}

function workingDirectory(text: string): string {
  if (text === '') return '/';
  if (!text.startsWith('/')) {
    throw new A3sError(
      'invalid_config',
      `the working directory '${text}' is invalid, it needs to be an absolute path`,
    );
  }
  return posix.normalize(text);
}
