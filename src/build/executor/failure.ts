/** What a RUN that failed is told as (BuildKit, executor/runcexecutor and solver/llbsolver/errdefs). */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import type { Lines } from '../dockerfile/error.ts';
import type { RunResult } from '../stage/types.ts';

const OUT_OF_MEMORY = 137;
const GUEST_ERROR = 'runc run failed: unable to start container process: ';

/** A step that did not succeed, for a reason that is the Dockerfile's; `exitStatus` is its command's. */
export class StepFailure extends A3sError {
  readonly lines: Lines;

  constructor(message: string, lines: Lines, exitStatus?: number) {
    super('build_failed', message, exitStatus === undefined ? {} : { exitStatus });
    this.name = 'StepFailure';
    this.lines = lines;
  }
}

/** What runc itself says when it cannot start the program; undefined when it could, or did not come to it. */
export function complaintOf({ error }: RunResult): string | undefined {
  return error !== undefined && isOfProgram(error) ? `${GUEST_ERROR}${error.message}` : undefined;
}

/** Null when the command has succeeded. */
export function failureOf(args: readonly string[], result: RunResult, lines: Lines): StepFailure | null {
  const { exitCode, error, oomKilled } = result;
  if (exitCode === 0 && error === undefined) return null;
  const failed = (reason: string, status?: number): StepFailure =>
    new StepFailure(
      `process ${goQuote(args.join(' '))} did not complete successfully: ${reason}`,
      lines,
      status,
    );
  // No status is the command's when there is no such user, or nothing could be mounted.
  if (error !== undefined && !isOfProgram(error)) return failed(error.message);
  if (oomKilled === true) return failed('cannot allocate memory', OUT_OF_MEMORY);
  return failed(`exit code: ${exitCode}`, exitCode);
}

function isOfProgram({ code }: NonNullable<RunResult['error']>): boolean {
  return code === 'not_found' || code === 'not_executable';
}
