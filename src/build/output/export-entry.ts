/** One value of `--output`, read as buildx reads it. */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { csvFields } from '../dockerfile/instructions/csv-fields.ts';

export interface ExportEntry {
  type: string;
  /** Empty when none is given. */
  dest: string;
  attributes: Map<string, string>;
}

const TRUE: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
/** What layers are in anyway. */
const COMPRESSION = 'gzip';
const OTHER_COMPRESSIONS: readonly string[] = ['uncompressed', 'estargz', 'zstd'];

/**
 * `PATH` alone is `type=local`, `-` is `type=tar` to stdout.
 * @throws A3sError `usage` in buildx's words.
 */
export function parseExportEntry(text: string): ExportEntry {
  const fields = csvFields(text);
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) {
    return { type: text === '-' ? 'tar' : 'local', dest: text, attributes: new Map() };
  }
  const entry: ExportEntry = { type: '', dest: '', attributes: new Map() };
  for (const field of fields) {
    const equals = field.indexOf('=');
    if (equals < 0) throw new A3sError('usage', `invalid value ${field}`);
    const key = field.slice(0, equals).toLowerCase().trim();
    const value = field.slice(equals + 1);
    if (key === 'type') entry.type = value;
    else if (key === 'dest') entry.dest = value;
    else entry.attributes.set(key, value);
  }
  if (entry.type === '') throw new A3sError('usage', 'type is required for output');
  if (entry.type !== 'registry') return entry;
  entry.attributes.set('push', 'true');
  return { ...entry, type: 'image' };
}

/**
 * An attribute that says yes or no; one without a value says yes.
 * @throws A3sError `usage` in BuildKit's words.
 */
export function flagOf(attributes: ReadonlyMap<string, string>, key: string, byDefault: boolean): boolean {
  const value = attributes.get(key);
  if (value === undefined) return byDefault;
  if (value === '' || TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw new A3sError(
    'usage',
    `non-bool value specified for ${key}: strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`,
  );
}

/** Layers are made once, whatever is made of them. @throws A3sError `usage`, `unsupported`. */
export function refuseUnknownCompression(attributes: ReadonlyMap<string, string>): void {
  const value = attributes.get('compression');
  if (value === undefined || value === '' || value === COMPRESSION) return;
  if (!OTHER_COMPRESSIONS.includes(value)) {
    throw new A3sError('usage', `unsupported compression type ${value}`);
  }
  throw new A3sError('unsupported', `compression=${value} is not supported`, {
    hint: `layers are compressed with ${COMPRESSION}`,
  });
}
