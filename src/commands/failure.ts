/** What a failure looks like on stderr, and its exit status. */
import { A3sError, type ErrorCode } from '../errors.ts';
import { oneLine } from '../output/one-line.ts';
import { PROGRAM } from './help.ts';

/** Failures that Docker's engine would answer with; scripts know them by this prefix. */
const FROM_ENGINE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'no_such_box',
  'ambiguous_box',
  'name_conflict',
  'box_running',
  'box_not_running',
  'box_paused',
  'no_such_image',
  'image_in_use',
  'no_such_volume',
  'no_such_file',
  'volume_in_use',
  'invalid_config',
  'port_taken',
  'start_failed',
  'unauthorized',
  'not_in_registry',
  'registry_refused',
  'registry_unreachable',
  'registry_protocol',
]);

/** Whether Docker's engine would say it, not its client. */
export function isOfEngine(error: unknown): boolean {
  return error instanceof A3sError && FROM_ENGINE.has(error.code);
}

/** One line, with Docker's prefix where Docker's engine is who would say it. */
export function describe(error: unknown): string {
  if (!(error instanceof A3sError)) return oneLine(error instanceof Error ? error.message : String(error));
  const stage = error.stage === undefined ? '' : ` (${error.stage})`;
  const prefix = isOfEngine(error) ? 'Error response from daemon: ' : '';
  return oneLine(`${prefix}${error.message}${error.code === 'boot_failed' ? stage : ''}`);
}

/** The hint's line, or nothing. */
export function hintOf(error: unknown): string {
  return error instanceof A3sError && error.hint !== undefined ? `\nHint: ${oneLine(error.hint)}` : '';
}

/**
 * A failure that ends the command.
 * `run` and `create` name the program and point at their help, as Docker's do; the others print the line alone.
 */
export function renderFailure(error: unknown, path: string, pointToHelp: boolean): string {
  const line = `${describe(error)}${hintOf(error)}`;
  if (!pointToHelp) return `${line}\n`;
  return `${PROGRAM}: ${line}\n\nRun '${PROGRAM} ${path} --help' for more information\n`;
}

/** What nobody foresaw; a system's refusal (a file, a right, space) is told as it is. */
export function renderUnexpected(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `${PROGRAM}: unexpected error: ${oneLine(String(error))}\n`;
  const refused = 'syscall' in error;
  const text = debug ? (error.stack ?? error.message) : oneLine(error.message);
  const hint = debug || refused ? '' : 'Hint: A3S_DEBUG=1 shows where it came from\n';
  return `${PROGRAM}: ${refused ? '' : 'unexpected error: '}${text}\n${hint}`;
}

/** A line that the parser refused. */
export function renderFlagError(error: A3sError, usage: string, path: string): string {
  const name = path === '' ? PROGRAM : `${PROGRAM} ${path}`;
  return `${oneLine(error.message)}\n\n${usage}\n\nRun '${name} --help' for more information\n`;
}

/** A wrong number of operands, or undefined when it is right. */
export function renderCountError(
  count: number,
  args: { min: number; max?: number },
  usage: string,
  path: string,
): string | undefined {
  const { min, max } = args;
  if (count >= min && (max === undefined || count <= max)) return undefined;
  const plural = (n: number): string => `${n} ${n === 1 ? 'argument' : 'arguments'}`;
  const name = `${PROGRAM} ${path}`;
  let need = `requires at least ${plural(min)}`;
  if (max === 0) need = 'accepts no arguments';
  else if (max === min) need = `requires ${plural(min)}`;
  else if (max !== undefined && min > 0) need = `requires at least ${min} and at most ${plural(max)}`;
  else if (max !== undefined) need = `requires at most ${plural(max)}`;
  const verb = max === undefined ? 'See' : 'Run';
  return `${PROGRAM}: '${name}' ${need}\n\n${usage}\n\n${verb} '${name} --help' for more information\n`;
}

/** Exit status of a failure: its own, else the command's. */
export function statusOf(error: unknown, commandStatus: number): number {
  return (error instanceof A3sError ? error.exitStatus : undefined) ?? commandStatus;
}
