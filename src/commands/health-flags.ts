/** The flags of `run` and `create` about health checks, and what they come to. */
import { A3sError } from '../errors.ts';
import type { CreateOptions } from '../engine/types.ts';
import type { FlagSet, FlagValues } from './flags/spec.ts';

export const healthFlags = {
  'health-cmd': { kind: 'string', help: 'Command to run to check health' },
  'health-interval': {
    kind: 'duration',
    help: 'Time between running the check (ms|s|m|h)',
    default: '0s',
  },
  'health-retries': { kind: 'int', help: 'Consecutive failures needed to report unhealthy', default: '0' },
  'health-start-interval': {
    kind: 'duration',
    help: 'Time between running the check during the start period (ms|s|m|h)',
    default: '0s',
  },
  'health-start-period': {
    kind: 'duration',
    help: 'Start period for the box to initialize before starting health-retries countdown (ms|s|m|h)',
    default: '0s',
  },
  'health-timeout': {
    kind: 'duration',
    help: 'Maximum time to allow one check to run (ms|s|m|h)',
    default: '0s',
  },
  'no-healthcheck': { kind: 'bool', help: 'Disable any box-specified HEALTHCHECK' },
} as const satisfies FlagSet;

/**
 * The check that the flags ask for; null when they say nothing.
 * @throws A3sError `usage` in the words of Docker's client.
 */
export function healthCheckFlags(flags: FlagValues<typeof healthFlags>): CreateOptions['healthcheck'] {
  const command = flags['health-cmd'] ?? '';
  const check = {
    test: command === '' ? [] : ['CMD-SHELL', command],
    interval: flags['health-interval'],
    timeout: flags['health-timeout'],
    retries: flags['health-retries'],
    start_period: flags['health-start-period'],
    start_interval: flags['health-start-interval'],
  };
  const { test, ...numbers } = check;
  const given = test.length > 0 || Object.values(numbers).some((value) => value !== 0);
  if (flags['no-healthcheck']) {
    if (given) throw new A3sError('usage', '--no-healthcheck conflicts with --health-* options');
    return { ...check, test: ['NONE'] };
  }
  for (const [name, value] of Object.entries(numbers)) {
    if (value < 0) {
      throw new A3sError('usage', `--health-${name.replaceAll('_', '-')} cannot be negative`);
    }
  }
  return given ? check : null;
}
