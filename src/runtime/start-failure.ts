/** Docker's words for a program that cannot be started: what containerd, its shim and runc put before the reason. */
import type { ProcessResult } from './process-session.ts';

/** Of a box's own program. */
export const CREATE_FAILED =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ' +
  'unable to start container process: ';
/** Of a further command. */
export const EXEC_FAILED = 'OCI runtime exec failed: exec failed: unable to start container process: ';

/** The agent's stages that are runc's work; a user, for one, is looked up by Docker's engine. */
const STAGES_OF_RUNC: ReadonlySet<string> = new Set(['cwd', 'exec']);

/** The agent's reason, in a result, with `words` before it. */
export function withStartFailure(result: ProcessResult, words: string): ProcessResult {
  const { error } = result;
  if (error === undefined || !STAGES_OF_RUNC.has(error.stage)) return result;
  return { ...result, error: { ...error, message: `${words}${error.message}` } };
}
