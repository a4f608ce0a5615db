/** `--filter` of `builder prune` and `builder du` (docker/buildx, commands/prune.go; containerd, pkg/filters; BuildKit, adaptUsageInfo). */
import { A3sError } from '../../errors.ts';
import { parseDuration } from '../../units.ts';
import type { CacheRecord } from './records.ts';

export interface RecordFilter {
  matches: (record: CacheRecord) => boolean;
  /** Only what was unused for so long; 0 for everything. */
  unusedMs: number;
}

const OLD_KEY = 'unused-for';
const NS_PER_MS = 1e6;

/**
 * @param given `key=value`; a key may end in `!` for "is not", in `~` for a pattern.
 * @throws A3sError `usage` in buildx's words.
 */
export function parseRecordFilter(given: readonly string[]): RecordFilter {
  const values = new Map<string, Set<string>>();
  for (const filter of given) {
    const equals = filter.indexOf('=');
    const key = filter.slice(0, equals).trim().toLowerCase();
    values.set(key, (values.get(key) ?? new Set()).add(filter.slice(equals + 1).trim()));
  }
  if (values.has('until') && values.has(OLD_KEY)) {
    throw new A3sError('usage', 'conflicting filters "until" and "unused-for"');
  }
  const untilKey = values.has(OLD_KEY) ? OLD_KEY : 'until';
  const until = [...(values.get(untilKey) ?? [])];
  values.delete(untilKey);
  const tests = [...values].map(([key, [value = '', ...more]]) => {
    if (more.length > 0) throw oneOnly(key);
    return testOf(key, value);
  });
  return {
    matches: (record) => tests.every((test) => test(record)),
    unusedMs: until.length === 0 ? 0 : unused(untilKey, until),
  };
}

function unused(key: string, [value = '', ...more]: readonly string[]): number {
  if (more.length > 0) throw oneOnly(key);
  try {
    return parseDuration(value) / NS_PER_MS;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new A3sError('usage', `"${key}" filter expects a duration (e.g., '24h'): ${reason}`, { cause });
  }
}

function oneOnly(key: string): A3sError {
  return new A3sError('usage', `"${key}" filter expects only one value`);
}

function testOf(key: string, wanted: string): (record: CacheRecord) => boolean {
  const name = key.replace(/[!~]$/, '');
  if (key.endsWith('!')) return (record) => fieldOf(record, name).value !== wanted;
  if (key.endsWith('~') || key === 'id') {
    const pattern = patternOf(name, wanted);
    return (record) => pattern.test(fieldOf(record, name).value);
  }
  return (record) => {
    const { value, there } = fieldOf(record, name);
    return there && value === wanted;
  };
}

function patternOf(name: string, text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    const filter = `${name}~=${text}`;
    throw new A3sError('usage', `failed to parse prune filters [${filter}]: bad pattern`, { cause });
  }
}

/** What is true or false has no value: no filter of this form finds it. */
function fieldOf(record: CacheRecord, name: string): { value: string; there: boolean } {
  const text = (value: string) => ({ value, there: value !== '' });
  const truth = (there: boolean) => ({ value: '', there });
  switch (name) {
    case 'id':
      return text(record.id);
    case 'parents':
      return text(record.parents.join(';'));
    case 'description':
      return text(record.description);
    case 'type':
      return text(record.type);
    case 'inuse':
      return truth(record.inUse);
    case 'mutable':
      return truth(record.mutable);
    case 'immutable':
      return truth(!record.mutable);
    case 'shared':
      return truth(record.shared);
    case 'private':
      return truth(!record.shared);
    default:
      return text('');
  }
}
