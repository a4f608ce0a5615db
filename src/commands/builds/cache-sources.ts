/** `--cache-from` (docker/buildx, util/buildflags/cache.go). */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';

/**
 * Names of images: `name`, `name,name`, or `type=registry,ref=name`.
 * @throws A3sError `usage` in buildx's words; `unsupported` for other types.
 */
export function parseCacheSources(given: readonly string[]): string[] {
  return given.flatMap((text) => {
    const fields = text.split(',').filter((field) => field !== '');
    return text.includes('=') ? [parseEntry(text, fields)] : fields;
  });
}

function parseEntry(text: string, fields: readonly string[]): string {
  let type = '';
  let reference = '';
  for (const field of fields) {
    const equals = field.indexOf('=');
    if (equals < 0) throw new A3sError('usage', `invalid value ${field}`);
    const key = field.slice(0, equals).toLowerCase();
    if (key === 'type') type = field.slice(equals + 1);
    else if (key === 'ref') reference = field.slice(equals + 1);
  }
  if (type === '') throw new A3sError('usage', `type required form> ${goQuote(text)}`);
  if (type === 'registry' && reference !== '') return reference;
  if (type === 'registry') {
    throw new A3sError('usage', `--cache-from ${text} names no image: ref is required`);
  }
  throw new A3sError(
    'unsupported',
    `--cache-from type=${type} is not supported: the cache of builds is in the state directory and in images`,
    { exitStatus: 125 },
  );
}
