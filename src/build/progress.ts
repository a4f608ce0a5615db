/**
 * What a build tells while it goes on, for whoever shows it: steps in BuildKit's terms ("vertices"), their output, their end. Times are
 * milliseconds since 1970.
 */
export type BuildEvent =
  | StepAnnounced
  | { kind: 'started'; id: number; time: number }
  /** Nothing had to be done: the result was there. */
  | { kind: 'cached'; id: number }
  /** Output of the step's command, as it comes: pieces may end within a line. */
  | { kind: 'output'; id: number; stream: 'stdout' | 'stderr'; bytes: Buffer; time: number }
  | StepProgress
  | { kind: 'done'; id: number; time: number }
  /** The step failed, or was given up because another one did (`cancelled`). */
  | { kind: 'failed'; id: number; time: number; message: string; cancelled: boolean }
  | { kind: 'warning'; warning: BuildWarning };

export interface StepAnnounced {
  kind: 'step';
  /** From 1, in the order in which steps are first told. */
  id: number;
  /** `[internal] load build definition from Dockerfile`, `[build 2/3] RUN make`. */
  name: string;
}

/** A line of its own below a step: `transferring context: 2.10kB`, `exporting layers`. */
export interface StepProgress {
  kind: 'progress';
  id: number;
  /** Tells the lines of a step apart; a later event with the same label replaces the line. */
  label: string;
  /** Bytes so far, and in all where that is known. */
  current?: number;
  total?: number;
  done: boolean;
  time: number;
}

/** A finding of BuildKit's checks about the Dockerfile. */
export interface BuildWarning {
  /** `StageNameCasing` */
  rule: string;
  /** What the rule is about, in general. */
  description: string;
  url: string;
  /** What is wrong here. */
  message: string;
  /** First and last line, from 1; empty when it is about none. */
  lines: readonly (readonly [first: number, last: number])[];
}

export type BuildEvents = (event: BuildEvent) => void;
