/** What was found in the Dockerfile, told at the end of a build (buildx's printWarnings). */
import { type BuildWarning, excerpt } from '../../engine/build-types.ts';
import { escapeControls, escapeLines } from '../../output/one-line.ts';
import { warningLine } from './progress/steps.ts';

const YELLOW = '\u001B[33m';
const RESET = '\u001B[0m';

export interface WarningOptions {
  /** With explanation, link and the lines in question. */
  whole: boolean;
  colour: boolean;
  /** The Dockerfile, where it is known. */
  source: { file: string; text: string } | undefined;
}

/** Empty when there are none; each finding is told once. */
export function warningsText(warnings: readonly BuildWarning[], options: WarningOptions): string {
  const findings = new Map(warnings.map((warning) => [warningLine(warning), warning]));
  if (findings.size === 0) return '';
  const hint = options.whole ? '' : ' (use --debug to expand)';
  const count = `${findings.size} ${findings.size === 1 ? 'warning' : 'warnings'} found${hint}:`;
  const head = options.colour ? `${YELLOW}${count}${RESET}` : count;
  const lines = [...findings].map(
    ([line, warning]) => ` - ${escapeControls(line)}\n${options.whole ? details(warning, options) : ''}`,
  );
  return `\n ${head}\n${lines.join('')}`;
}

function details({ description, url, lines: [first] }: BuildWarning, { source }: WarningOptions): string {
  const shown =
    source === undefined || first === undefined
      ? ''
      : escapeLines(excerpt(source.file, source.text, { first: first[0], last: first[1] }));
  return `${description}\n${url === '' ? '' : `More info: ${url}\n`}${shown}\n`;
}
