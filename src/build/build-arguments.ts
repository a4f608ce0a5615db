/** `--build-arg` (buildx, commands/build.go `listToMap`). Pure. */
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';

/**
 * @param values `KEY=value`, or `KEY` for what the environment has of it, nothing if it has none
 * @throws A3sError `usage`
 */
export function parseBuildArguments(values: readonly string[], env: NodeJS.ProcessEnv): Map<string, string> {
  const result = new Map<string, string>();
  for (const text of values) {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    if (key === '') throw new A3sError('usage', `invalid key-value pair ${goQuote(text)}: empty key`);
    const value = equals < 0 ? env[key] : text.slice(equals + 1);
    if (value !== undefined) result.set(key, value);
  }
  return result;
}
