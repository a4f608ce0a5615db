/** How a build says that it failed: the lines of the Dockerfile to blame, then the reason (buildx). */
import { BuildError, excerpt } from '../../engine/build-types.ts';
import { A3sError } from '../../errors.ts';
import { oneLine } from '../../output/one-line.ts';
import { hintOf } from '../failure.ts';

/** Undefined for what is no failure of a build but of the program. */
export function failureText(error: unknown): string | undefined {
  if (!(error instanceof A3sError)) return undefined;
  const source = error instanceof BuildError ? error.source : undefined;
  const blamed = source === undefined ? '' : lines(excerpt(source.file, source.text, source.lines));
  const prefix = error instanceof BuildError ? 'failed to solve: ' : '';
  return `${blamed}${oneLine(`ERROR: ${prefix}${error.message}`)}${hintOf(error)}\n`;
}

/** A Dockerfile's lines and tabs stay what they are; nothing in it steers the terminal. */
function lines(text: string): string {
  return text.replace(/[^\n\t]+/g, oneLine);
}
