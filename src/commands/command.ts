/** What a command is: data for help and the parser, and one function. */
import type { Readable, Writable } from 'node:stream';

import type { Engine } from '../engine/types.ts';
import type { FlagSet, FlagValues } from './flags/spec.ts';

export interface CommandContext {
  /** The words that named the command, e.g. `container run` or `run`. */
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean };
  readonly stderr: Writable & { isTTY?: boolean };
  /** Writes the answer; waits while the reader is slow. */
  print(text: string): Promise<void>;
  /** Writes one line for a person to stderr. */
  warn(line: string): void;
  /** Prints a failure that does not end the command (one of several boxes). */
  report(error: unknown): void;
  /** Opens the state directory, once. */
  engine(): Promise<Engine>;
}

/** An invocation, as the parser read it. */
export interface Invocation<F extends FlagSet> {
  flags: FlagValues<F>;
  /** Long names of the flags that were given. */
  given: ReadonlySet<string>;
  args: string[];
}

export interface CommandSpec<F extends FlagSet> {
  /** One sentence without a full stop. */
  summary: string;
  /** What follows the command's name in its usage line. */
  usage: string;
  /** How many operands it takes; no `max` means any number. */
  args: { min: number; max?: number };
  flags: F;
  /** For help: command lines behind the command's name, each with what it does. */
  examples?: readonly (readonly [line: string, what: string])[];
  /** True when flags end at the first operand (the operands are a command line of their own). */
  stopAtOperand?: boolean;
  /** Exit status of a failure that has none of its own; 1 when left out. */
  failureStatus?: number;
  /** That of what Docker's engine would refuse, where its client makes a difference; the line then stands alone. */
  engineFailureStatus?: number;
  /** Returns the exit status; nothing means 0. */
  run(context: CommandContext, invocation: Invocation<F>): Promise<number | void>;
}

/** A command whose flags have been forgotten by the type, as the registry holds them. */
export type Command = CommandSpec<FlagSet>;

/** Checks a command's flags against what its `run` takes. */
export function defineCommand<const F extends FlagSet>(spec: CommandSpec<F>): Command {
  return spec;
}
