/** What a box's log options mean (moby, daemon/logger/jsonfilelog): sizes, numbers of files, attributes of lines. Pure. */
import { A3sError } from '../errors.ts';
import type { BoxSettings } from './box-settings.ts';
import type { BoxRecord } from './record.ts';

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp]?)b?$/i;
const MAX_FILES = 10_000;

type Options = Readonly<BoxSettings['log_options']>;

/**
 * `max-size`: bytes of one file, after which the next begins; units are powers of 1000 (docker/go-units, FromHumanSize).
 * Infinity for no bound.
 * @throws A3sError `invalid_config`.
 */
export function maxSize({ 'max-size': text }: Options): number {
  if (text === undefined || text === '-1') return Number.POSITIVE_INFINITY;
  const [, digits, unit = ''] = SIZE.exec(text) ?? [];
  const bytes = Math.floor(
    Number(digits) * 1000 ** (unit === '' ? 0 : 'kmgtp'.indexOf(unit.toLowerCase()) + 1),
  );
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new A3sError('invalid_config', `invalid value for max-size: invalid size: '${text}'`);
}

/**
 * `max-file`: how many files there are at most, the one that is written among them.
 * @throws A3sError `invalid_config`.
 */
export function maxFiles({ 'max-file': text }: Options): number {
  if (text === undefined) return 1;
  const count = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(count) || count > MAX_FILES) {
    throw new A3sError(
      'invalid_config',
      `invalid value for max-file: '${text}' is no number up to ${MAX_FILES}`,
    );
  }
  if (count < 1) throw new A3sError('invalid_config', 'max-file cannot be less than 1');
  return count;
}

/** What `labels` and `env` name of the box: it stands at each line of its log. Undefined for nothing. */
export function logAttributes(options: Options, box: BoxRecord): Record<string, string> | undefined {
  const names = (text = ''): string[] => text.split(',').filter(Boolean);
  const labels = names(options['labels']).filter((name) => Object.hasOwn(box.labels, name));
  const variables = box.env.filter((entry) => names(options['env']).includes(entry.split('=', 1)[0] ?? ''));
  if (labels.length + variables.length === 0) return undefined;
  return Object.fromEntries([
    ...labels.map((name) => [name, box.labels[name] ?? '']),
    ...variables.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  ]);
}
