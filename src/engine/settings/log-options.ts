/** `--log-driver` and `--log-opt`: which are taken, and what they mean (moby, daemon/logger/jsonfilelog). Pure. */
import { A3sError } from '../../errors.ts';
import type { BoxSettings, LogDriver } from '../../state/box-settings.ts';
import { maxFiles, maxSize } from '../../state/log-options.ts';

/** Drivers of Docker's that send the output elsewhere. */
const ELSEWHERE = 'awslogs etwlogs fluentd gcplogs gelf journald local splunk syslog'.split(' ');
const TAKEN = ['compress', 'env', 'labels', 'max-file', 'max-size', 'mode'];
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
  maxSize(options);
  maxFiles(options);
  return options;
}

function checkOption(name: string, value: string): void {
  if (name === 'mode' && value === 'non-blocking') throw later('mode=non-blocking');
  else if (name === 'mode' && value !== 'blocking') {
    throw new A3sError('invalid_config', `logger: logging mode not supported: ${value}`);
  } else if (OTHERS.includes(name) && !(name === 'compress' && value === 'false')) throw later(name);
  else if (!TAKEN.includes(name)) {
    throw new A3sError('invalid_config', `unknown log opt '${name}' for json-file log driver`);
  }
}

function later(what: string): A3sError {
  return new A3sError('unsupported', `--log-opt ${what} is not supported yet`, { exitStatus: 125 });
}
