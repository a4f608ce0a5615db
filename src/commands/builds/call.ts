/** `--call`: what is asked about a Dockerfile instead of building it (buildx's util/buildflags/callfunc.go). */
import { A3sError } from '../../errors.ts';

export interface BuildCall {
  method: 'lint' | 'outline' | 'targets';
  json: boolean;
  /** The status is 0 whatever was found. */
  ignoreStatus: boolean;
}

/**
 * Undefined for a build.
 * @throws A3sError `usage` in buildx's words.
 */
export function parseCall(flags: { call: string; check: boolean }): BuildCall | undefined {
  const text = flags.check ? 'check' : flags.call;
  let method = '';
  let format = '';
  let ignoreStatus = false;
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    const [key, value] = equals < 0 ? ['', field] : [field.slice(0, equals), field.slice(equals + 1)];
    if (key === 'format') format = value;
    else if (key === 'ignorestatus') ignoreStatus = value === 'true' || value === '1';
    else if (key !== '' || equals === 0) throw new A3sError('usage', `invalid print field: ${field}`);
    else if (method !== '') throw new A3sError('usage', `invalid print value: ${text}`);
    else method = value;
  }
  if (method === 'build' || method === '') return undefined;
  const known = METHODS.get(method);
  if (known === undefined) throw new A3sError('usage', `unsupported request frontend.${method}`);
  return { method: known, json: format === 'json', ignoreStatus };
}

const METHODS: ReadonlyMap<string, BuildCall['method']> = new Map([
  ['check', 'lint'],
  ['lint', 'lint'],
  ['outline', 'outline'],
  ['targets', 'targets'],
]);
