/** One document (`info`, `version`, `inspect`) in the form that `--format` asks for. */
import { A3sError } from '../../errors.ts';
import { compile, TemplateError } from './template.ts';
import { goJson } from './value.ts';

/** Exit status of a template that does not parse; Docker's. */
const PARSE_FAILURE = 64;

/**
 * A function that renders values by a format.
 * @param name the template's name in messages
 * @throws A3sError `usage` when the template does not parse; the function throws one when it does not run
 */
export function renderer(format: string, name = '', rootType?: string): (value: unknown) => string {
  if (format === 'json') return goJson;
  const fail = (error: unknown, exitStatus: number): unknown =>
    error instanceof TemplateError
      ? new A3sError('usage', `template parsing error: template: ${name}${error.message}`, { exitStatus })
      : error;
  try {
    const template = compile(format, name, rootType);
    return (value) => {
      try {
        return template.run(value);
      } catch (error) {
        throw fail(error, 1);
      }
    };
  } catch (error) {
    throw fail(error, PARSE_FAILURE);
  }
}
