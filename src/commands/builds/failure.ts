/** How a build says that it failed: the lines of the Dockerfile to blame, then the reason (buildx). */
import { BuildError, excerpt } from '../../engine/build-types.ts';
import { A3sError } from '../../errors.ts';
import { escapeLines, oneLine } from '../../output/one-line.ts';
import { hintOf } from '../failure.ts';

/** Undefined for what is no failure of a build but of the program. */
export function failureText(error: unknown): string | undefined {
  if (!(error instanceof A3sError)) return undefined;
  const source = error instanceof BuildError ? error.source : undefined;
  const blamed = source === undefined ? '' : escapeLines(excerpt(source.file, source.text, source.lines));
  const prefix = error instanceof BuildError ? 'failed to solve: ' : '';
  return `${blamed}${oneLine(`ERROR: ${prefix}${error.message}`)}${hintOf(error)}\n`;
}
