/** `--annotation [type,…:]key=value` (docker/buildx, util/buildflags/export.go). */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';

/** A type and, in brackets, the platform that it is for. */
const TYPE = /^([a-z-]+)(?:\[[A-Za-z0-9_/-]+\])?$/;
const OF_INDEX = ['index', 'index-descriptor'];
const OF_MANIFEST = ['manifest', 'manifest-descriptor'];

/** There is one manifest and no index. @throws A3sError `usage` in buildx's words. */
export function parseAnnotations(given: readonly string[]): Map<string, string> {
  const annotations = new Map<string, string>();
  for (const text of given) {
    if (text === '') continue;
    const equals = text.indexOf('=');
    if (equals < 0) {
      throw new A3sError('usage', `invalid annotation ${goQuote(text)}, expected key=value`);
    }
    const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
    const colon = name.indexOf(':');
    if (colon >= 0) name.slice(0, colon).split(',').forEach(checkType);
    annotations.set(name.slice(colon + 1), value);
  }
  return annotations;
}

function checkType(text: string): void {
  const [, type] = TYPE.exec(text) ?? [];
  if (type === undefined) {
    throw new A3sError(
      'usage',
      `invalid annotation type ${goQuote(text)}, expected type and optional platform in square brackets`,
    );
  }
  if (OF_INDEX.includes(type)) {
    throw new A3sError('usage', 'index annotations not supported for single platform export');
  }
  if (!OF_MANIFEST.includes(type)) {
    throw new A3sError('usage', `unknown annotation type ${goQuote(type)}`);
  }
}
