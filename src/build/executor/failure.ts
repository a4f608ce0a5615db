/** What a RUN that failed is told as (BuildKit, executor/runcexecutor and solver/llbsolver/errdefs). */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import type { Lines } from '../dockerfile/error.ts';
import type { RunResult } from '../stage/types.ts';

const OUT_OF_MEMORY = 137;

/** A step that did not succeed, for a reason that is the Dockerfile's; `exitStatus` is its command's. */
export class StepFailure extends A3sError {
  readonly lines: Lines;

  constructor(message: string, lines: Lines, exitStatus?: number) {
    super('build_failed', message, exitStatus === undefined ? {} : { exitStatus });
    this.name = 'StepFailure';
    this.lines = lines;
  }
}

/** Null when the command has succeeded. */
export function failureOf(args: readonly string[], result: RunResult, lines: Lines): StepFailure | null {
  const { exitCode, error, oomKilled } = result;
  if (exitCode === 0 && error === undefined) return null;
  // The command is not to blame when there is no such user, or nothing could be mounted.
  if (error !== undefined && !['not_found', 'not_executable'].includes(error.code)) {
    return new StepFailure(error.message, lines);
  }
  const reason = oomKilled === true ? 'cannot allocate memory' : `exit code: ${exitCode}`;
  return new StepFailure(
    `process ${goQuote(args.join(' '))} did not complete successfully: ${reason}`,
    lines,
    oomKilled === true ? OUT_OF_MEMORY : exitCode,
  );
}
