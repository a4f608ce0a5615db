/**
 * The one error type of the product. `code` is a closed set: callers branch on it, never on the text.
 * `message` is the whole sentence a user reads (Docker's words where scripts read them); `hint` is the next step.
 */

export type ErrorCode = (typeof ERROR_CODES)[number];

const ERROR_CODES = [
  'usage', // a bad flag or argument
  'unsupported', // a flag of Docker's that this version refuses
  'invalid_config', // a value that is well-formed but not acceptable
  'no_such_box',
  'ambiguous_box',
  'name_conflict',
  'image_in_use',
  'box_running',
  'box_not_running',
  'box_paused',
  'no_such_image',
  'image_broken',
  'no_such_volume',
  'no_such_file', // of a box
  'volume_in_use',
  'port_taken',
  'boot_failed', // the VM did not come up; `stage` says where
  'interrupted', // a signal came before the workload ran
  'build_failed', // a Dockerfile, or a step of it
  'start_failed', // the workload could not be started (exit status in `exitStatus`)
  'guest_protocol', // the guest broke the protocol
  'host_setup', // a program, file or right the host lacks
  'unauthorized', // a registry wants other credentials
  'not_in_registry',
  'registry_refused', // any other answer of a registry that is no success
  'registry_unreachable',
  'registry_protocol', // a registry broke its protocol
  'state_corrupt',
  'state_newer',
  'timeout',
  'io',
] as const;

export interface ErrorDetails {
  /** What the user can do about it, one sentence. */
  hint?: string;
  /** The step that failed (boot errors). */
  stage?: string;
  /** Exit status of the command when it is not the command's own default (125 for run, 1 elsewhere). */
  exitStatus?: number;
  cause?: unknown;
}

export class A3sError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly stage: string | undefined;
  readonly exitStatus: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'A3sError';
    this.code = code;
    this.hint = details.hint;
    this.stage = details.stage;
    this.exitStatus = details.exitStatus;
  }
}

/** True for a member of the closed set: error codes also travel between our processes. */
export function isErrorCode(value: string): value is ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(value);
}

/** True when `error` is a system error with this errno name, e.g. `ENOENT`. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return typeof error.code === 'string' && names.includes(error.code);
}
