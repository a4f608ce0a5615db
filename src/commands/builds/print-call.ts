/** Answers of `--call`, as buildx prints them. */
import {
  type BuildDescription,
  type BuildOutline,
  type BuildTarget,
  describeBuild,
  type LintResult,
} from '../../engine/build-call.ts';
import { BuildError, type BuildRequest, type BuildWarning, excerpt } from '../../engine/build-types.ts';
import type { Engine } from '../../engine/types.ts';
import { escapeControls, escapeLines } from '../../output/one-line.ts';
import type { CommandContext } from '../command.ts';
import type { BuildCall } from './call.ts';
import { callJson } from './call-json.ts';

/** @returns the exit status */
export async function printCall(
  context: Pick<CommandContext, 'print'>,
  engine: Engine,
  request: BuildRequest,
  call: BuildCall,
): Promise<number> {
  const description = await describeBuild(engine, request, call.method);
  await context.print(call.json ? callJson(description) : callText(description));
  if (description.method !== 'lint') return 0;
  const { findings, dockerfile } = description;
  const error = findings.error ?? findings.violation;
  if (error !== undefined && !call.json) {
    const source = error.lines === undefined ? undefined : { ...dockerfile, lines: error.lines };
    throw new BuildError(error.message, source, { cause: error });
  }
  const isClean = error === undefined && findings.warnings.length === 0;
  return isClean || call.ignoreStatus ? 0 : 1;
}

export function callText(description: BuildDescription): string {
  switch (description.method) {
    case 'lint':
      return findingsText(description.findings, description.dockerfile);
    case 'outline':
      return outlineText(description.outline);
    case 'targets':
      return targetsText(description.targets);
    default:
      return description satisfies never;
  }
}

function findingsText(
  { warnings, error, violation }: LintResult,
  dockerfile: { file: string; text: string },
): string {
  const [count, failed] = [warnings.length, error !== undefined || violation !== undefined];
  if (count === 0) return failed ? '' : 'Check complete, no warnings found.\n';
  const head = count === 1 ? '1 warning has been found!' : `${count} warnings have been found!`;
  const sorted = warnings.toSorted((one, other) => lineOf(one) - lineOf(other));
  const texts = sorted.map((warning) => findingText(warning, dockerfile));
  return `Check complete, ${head}\n${texts.join('')}${failed ? '\n' : ''}`;
}

function findingText(warning: BuildWarning, { file, text }: { file: string; text: string }): string {
  const { rule, url, message } = warning;
  const [first] = warning.lines;
  const blamed =
    first === undefined ? '' : escapeLines(excerpt(file, text, { first: first[0], last: first[1] }));
  const link = url === '' ? '' : ` - ${url}`;
  return `\nWARNING: ${rule}${link}\n${escapeControls(message)}\n${blamed}`;
}

function lineOf({ lines: [first] }: BuildWarning): number {
  return first?.[0] ?? 0;
}

function targetsText(targets: readonly BuildTarget[]): string {
  const rows = targets.map((target) => {
    const { name, description } = target;
    const shown = target.default ? `${name} (default)`.trimStart() : name;
    return [shown, description];
  });
  return table([['TARGET', 'DESCRIPTION'], ...rows], 1);
}

function outlineText({ name, description, args, secrets, ssh }: BuildOutline): string {
  const about = [
    ...(name === '' && description === '' ? [] : [['TARGET:', name === '' ? '(default)' : name]]),
    ...(description === '' ? [] : [['DESCRIPTION:', description]]),
  ];
  const values = args.map((each) => [each.name, each.value, each.description]);
  const needed = (of: BuildOutline['secrets']): string[][] =>
    of.map(({ name, required }) => [name, required ? 'true' : '']);
  return [
    table(about, 1),
    section(['BUILD ARG', 'VALUE', 'DESCRIPTION'], values),
    section(['SECRET', 'REQUIRED'], needed(secrets)),
    section(['SSH', 'REQUIRED'], needed(ssh)),
  ]
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('');
}

function section(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : table([head, ...rows], 3);
}

/** Columns as wide as they have to be, `gap` apart; the last one has no end (Go's text/tabwriter). */
function table(rows: readonly (readonly string[])[], gap: number): string {
  const shown = rows.map((row) => row.map(escapeControls));
  const widths = (shown[0] ?? []).map((_, column) =>
    Math.max(...shown.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + gap)))
      .join('');
  return shown.map((row) => `${line(row)}\n`).join('');
}
