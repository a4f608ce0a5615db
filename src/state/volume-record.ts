/** What is known of a volume: its JSON in `volumes/.records`, checked. Pure. */
import { A3sError } from '../errors.ts';
import { isObject } from '../json.ts';
import { VOLUME_NAME_PATTERN } from './record-check.ts';

/** Docker's label on a volume that got its name from nobody. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

export interface VolumeRecord {
  version: 1;
  name: string;
  /** ISO 8601, UTC. */
  created_at: string;
  labels: Record<string, string>;
  /** Options of the driver; there are none yet. */
  options: Record<string, string>;
}

/** @throws A3sError `invalid_config` in the words of Docker's local driver. */
export function checkVolumeName(name: string): void {
  if (VOLUME_NAME_PATTERN.test(name)) return;
  if (name.length < 2) {
    throw new A3sError(
      'invalid_config',
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw new A3sError('invalid_config', `create ${name}: volume name is too long, 240 characters at most`);
  }
  throw new A3sError(
    'invalid_config',
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only ` +
      '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  );
}

/**
 * The record in a file's text.
 * @throws Error saying what is wrong with it.
 */
export function parseVolumeRecord(text: string, name: string): VolumeRecord {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('not an object');
  const { version, created_at } = value;
  if (version !== 1) throw new Error(`version ${String(version)} is not known`);
  if (value['name'] !== name) throw new Error('another name');
  if (typeof created_at !== 'string' || Number.isNaN(Date.parse(created_at)))
    throw new Error('bad created_at');
  return {
    version,
    name,
    created_at,
    labels: texts(value['labels'], 'labels'),
    options: texts(value['options'], 'options'),
  };
}

function texts(value: unknown, field: string): Record<string, string> {
  if (!isObject(value)) throw new Error(`bad ${field}`);
  const entries = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== 'string') throw new Error(`bad ${field}`);
    return [key, text];
  });
  return Object.fromEntries(entries);
}
