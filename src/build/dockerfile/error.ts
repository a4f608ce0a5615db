/** What is wrong with a Dockerfile, with the lines that are to blame. */
import { A3sError } from '../../errors.ts';

/** Lines of a Dockerfile, from 1, both ends included. */
export interface Lines {
  first: number;
  last: number;
}

/** The message is BuildKit's; `lines` is what a report shows of the file, undefined where no line is to blame. */
export class DockerfileError extends A3sError {
  readonly lines: Lines | undefined;

  constructor(message: string, lines?: Lines, cause?: unknown) {
    super('invalid_config', message, { cause });
    this.name = 'DockerfileError';
    this.lines = lines;
  }
}

/** Runs `work`; an error about the Dockerfile that names no lines gets those it ended with. */
export function withLines<T>(lines: () => Lines, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof DockerfileError) {
      throw error.lines === undefined ? new DockerfileError(error.message, lines(), error) : error;
    }
    // Words of the base files' parsers: sizes, durations, signals, platforms, references.
    if (error instanceof A3sError) throw new DockerfileError(error.message, lines(), error);
    throw error;
  }
}
