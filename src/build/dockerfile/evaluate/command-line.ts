/** What a RUN starts, and how CMD and ENTRYPOINT are kept in the image (BuildKit's dockerfile2llb, dispatchRun). Pure. */
import { DockerfileError } from '../error.ts';
import type { Command, Run } from '../instructions/types.ts';
import { chomped, heredocName } from '../syntax/heredoc.ts';

/** What a command without the JSON form is given to, unless SHELL says otherwise. */
export const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/** Where the script of a RUN is while it runs. */
const SCRIPTS = '/dev/pipes/';

export interface CommandLine {
  words: string[];
  /** A file that has to be there while the command runs, executable by everybody. */
  script: { path: string; content: string } | undefined;
}

/** The words of CMD and ENTRYPOINT. `shell`: what SHELL said last, in the stage or in its base. */
export function shellForm(command: Command, shell: readonly string[]): string[] {
  return command.shell ? [...shell, command.words.join(' ')] : command.words;
}

/**
 * The command of a RUN. A heredoc alone is the script: run by itself if it begins with `#!`, else by the shell. Among other words
 * heredocs are the shell's.
 * @throws DockerfileError
 */
export function runCommandLine(run: Run, shell: readonly string[]): CommandLine {
  const [first] = run.documents;
  if (first === undefined) return { words: shellForm(run, shell), script: undefined };
  const [line = ''] = run.words;
  if (!run.shell || run.words.length > 1) {
    throw new DockerfileError(`parsing produced an invalid run command: [${run.words.join(' ')}]`, run.lines);
  }
  if (heredocName(line) === undefined) {
    const documents = run.documents.map(({ content, name }) => `\n${content}${name}`);
    return { words: [...shell, [line, ...documents].join('')], script: undefined };
  }
  const content = first.chomp ? chomped(first.content) : first.content;
  if (!content.startsWith('#!')) return { words: [...shell, content], script: undefined };
  const path = `${SCRIPTS}${first.name}`;
  // As with BuildKit the shell is given the path.
  return { words: [...shell, path], script: { path, content } };
}
