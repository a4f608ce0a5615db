/** `--log-driver` and `--log-opt`: which are taken, and what they mean (moby, daemon/logger/jsonfilelog). Pure. */
import { A3sError } from '../../errors.ts';
import type { BoxSettings, LogDriver } from '../../state/box-settings.ts';

/** Drivers of Docker's that send the output elsewhere. */
const ELSEWHERE = 'awslogs etwlogs fluentd gcplogs gelf journald local splunk syslog'.split(' ');
/** Options of json-file's that are not there. */
const OTHERS = 'cache-disabled compress env-regex labels-regex max-buffer-size tag'.split(' ');

/**
 * The driver; undefined or empty is json-file.
 * @throws A3sError in the words of Docker's engine, `unsupported` for a driver that a3s-box has not.
 */
export function logDriver(name: string | undefined): LogDriver {
  if (name === undefined || name === '' || name === 'json-file') return 'json-file';
  if (name === 'none') return name;
  if (ELSEWHERE.includes(name)) {
    throw new A3sError(
      'unsupported',
      `--log-driver ${name} is not supported: a box keeps its output in a file of its own (json-file) or not at all (none)`,
      { exitStatus: 125 },
    );
  }
  throw new A3sError('invalid_config', `logger: no log driver named '${name}' is registered`);
}

/**
 * The options by name, each checked.
 * @throws A3sError as logDriver; `usage` for what Docker's client refuses itself.
 */
export function logOptions(driver: LogDriver, given: readonly string[]): BoxSettings['log_options'] {
  if (driver === 'none' && given.length > 0) {
    throw new A3sError('usage', `invalid logging opts for driver ${driver}`);
  }
  const options: Record<string, string> = Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
  for (const [name, value] of Object.entries(options)) checkOption(name, value);
  if (options['max-file'] !== undefined && Number(options['max-file']) > 1 && !('max-size' in options)) {
    throw new A3sError('invalid_config', 'max-file without max-size: no file is ever full');
  }
  return options;
}

function checkOption(name: string, value: string): void {
  if (name === 'max-size') maxSize(value);
  else if (name === 'max-file') maxFiles(value);
  else if (name === 'mode' && value === 'non-blocking') throw later('mode=non-blocking');
  else if (name === 'mode' && value !== 'blocking') {
    throw new A3sError('invalid_config', `logger: logging mode not supported: ${value}`);
  } else if (OTHERS.includes(name) && !(name === 'compress' && value === 'false')) throw later(name);
  else if (!['compress', 'env', 'labels', 'mode'].includes(name)) {
    throw new A3sError('invalid_config', `unknown log opt '${name}' for json-file log driver`);
  }
}

function later(what: string): A3sError {
  return new A3sError('unsupported', `--log-opt ${what} is not supported yet`, { exitStatus: 125 });
}

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp]?)b?$/i;

/** Bytes of one file; units are powers of 1000 (docker/go-units, FromHumanSize). 0 for no bound. */
export function maxSize(text: string | undefined): number {
  if (text === undefined || text === '-1') return 0;
  const [, digits, unit = ''] = SIZE.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * 1000 ** ('kmgtp'.indexOf(unit.toLowerCase() || '?') + 1));
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new A3sError('invalid_config', `invalid value for max-size: invalid size: '${text}'`);
}

/** How many files there are at most, the newest among them. */
export function maxFiles(text: string | undefined): number {
  if (text === undefined) return 1;
  const count = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(count) || count > 10_000) {
    throw new A3sError(
      'invalid_config',
      `invalid value for max-file: ${JSON.stringify(text)} is no number of files`,
    );
  }
  if (count < 1) throw new A3sError('invalid_config', 'max-file cannot be less than 1');
  return count;
}
